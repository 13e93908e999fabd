"""Random projections: a few sums of many values, by which processes can tell how far apart their values are.

Each sum takes every value with a sign of its own, drawn once for all. The distance between the sums of two samples is
about the root mean square of the differences of their values, wherever in the samples these are.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from frostline.digest.floats import FLOATS, Reals

Projection: TypeAlias = tuple[float, ...]

SUMS = 4
NARROWEST = 16  # bits of a type whose values are projected


def project(content: bytes, dtype: str) -> Projection | None:
    """The projection of floating-point values of 16 bits or more; None of other types, of none and of infinite ones.

    Example:
        >>> ones, other = np.ones(1000, "<f4"), np.ones(1000, "<f4")
        >>> other[:100] += 0.5
        >>> one = project(ones.tobytes(), "float32")
        >>> one == project(ones.tobytes(), "float32"), 0.08 < between(one, project(other.tobytes(), "float32")) < 0.3
        (True, True)
    """
    if not content or dtype not in FLOATS or FLOATS[dtype].width < NARROWEST:
        return None
    values = _values(content, dtype)
    if not np.isfinite(values).all():
        return None
    return tuple(map(float, (_signs(values.size) @ values) / math.sqrt(SUMS * values.size)))


def _values(content: bytes, dtype: str) -> Reals:
    layout = FLOATS[dtype]
    return layout.values(np.frombuffer(content, f"<u{layout.width // 8}"))


def root_mean_square(content: bytes, dtype: str) -> float:
    """How large the values are.

    >>> root_mean_square(np.array([3, -3, 3], "<f4").tobytes(), "float32")
    3.0
    """
    return float(np.sqrt(np.square(_values(content, dtype)).mean()))


def between(one: Sequence[float], other: Sequence[float]) -> float:
    """About how far the values of two projections are apart, as a root mean square."""
    return math.dist(one, other)


@functools.lru_cache(maxsize=64)
def _signs(count: int) -> Reals:
    drawn = random.Random(count).randbytes((SUMS * count + 7) // 8)  # the same in every process and version
    bits = np.unpackbits(np.frombuffer(drawn, np.uint8))[: SUMS * count]
    return np.where(bits, -1.0, 1.0).reshape(SUMS, count)
