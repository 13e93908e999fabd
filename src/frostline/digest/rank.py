"""Of how low a rank a move is: what an adapter adds to a weight is the product of two small matrices."""

from __future__ import annotations

import numpy as np

from frostline.digest.blocks import Buffer
from frostline.digest.floats import FLOATS
from frostline.digest.shift import reals

CLEAR = 64.0  # times the rounding of the weight: what is smaller may be rounding


def rank_of_move(before: Buffer, after: Buffer, dtype: str, shape: tuple[int, int]) -> int | None:
    """The rank of after - before up to rounding; None where the move is too small beside that to have one.

    >>> old = np.ones((3, 4), "f4")
    >>> rank_of_move(old, old + np.outer([1, 2, 3], [1, 0, 2, 5]).astype("f4"), "float32", (3, 4))
    1
    """
    layout = FLOATS.get(dtype)
    if layout is None or layout.parts != 1:
        return None
    old, new = reals(before, dtype).reshape(shape), reals(after, dtype).reshape(shape)
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        return None
    rounding = 2.0**-layout.fraction * max(float(np.linalg.norm(old)), float(np.linalg.norm(new)))
    sizes = np.linalg.svd(new - old, compute_uv=False)
    return int((sizes > rounding).sum()) if sizes[0] > CLEAR * rounding else None
