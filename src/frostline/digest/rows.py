"""Marks that tell apart the rows, or the elements, of a tensor: which of them differ between two readings, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from frostline.digest.blocks import Buffer

Marks = NDArray[np.unsignedinteger[Any]]
Chosen = NDArray[np.bool_]

_WORDS = {1: "u1", 2: "<u2", 4: "<u4", 8: "<u8"}
RANGES_TOLD = 8


def row_marks(buffer: Buffer, rows: int) -> Marks:
    """One XXH3-64 value for each row of the tensor, in order; ``rows`` is the size of its first axis.

    >>> before, after = np.zeros((3, 2), "f4"), np.zeros((3, 2), "f4")
    >>> after[1, 0] = -0.0
    >>> (row_marks(before, 3) != row_marks(after, 3)).tolist()
    [False, True, False]
    """
    lines = np.frombuffer(cast("memoryview", buffer), np.uint8).reshape(rows, -1)
    return np.fromiter((xxh3_64_intdigest(line.data) for line in lines), np.uint64, rows)


def element_marks(buffer: Buffer, itemsize: int) -> Marks | None:
    """The bits of every element as one integer, in a copy; None for elements of more than eight bytes."""
    word = _WORDS.get(itemsize)
    return None if word is None else np.frombuffer(cast("memoryview", buffer), word).copy()


def ranges(chosen: Chosen) -> list[str]:
    """The chosen indices as slices, at most a handful.

    >>> ranges(np.array([True, True, False, True]))
    ['0:2', '3:4']
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False]))))
    told = [f"{start}:{stop}" for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    return told if len(told) <= RANGES_TOLD else [*told[:RANGES_TOLD], f"and {len(told) - RANGES_TOLD} more"]


def rows_with(chosen: Chosen, shape: Sequence[int]) -> Chosen:
    """The rows in which an element was chosen."""
    return chosen if chosen.size == shape[0] else np.asarray(chosen.reshape(shape[0], -1).any(axis=1))
