"""How the bytes of one tensor differ between two files: which elements, which rows, how far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.files.sources import Piece

MOST_RANGES = 64
CHUNK = 32 * 1024  # bytes at a time: the float64 forms of so many elements stay in the processor's cache
_WORDS = {8: "u1", 16: "<u2", 32: "<u4", 64: "<u8"}


@dataclass(slots=True)
class Move:
    """The difference of a tensor between two files, told from its bits.

    Elements are compared by their bits: a NaN that kept its bits did not change, 0.0 that became -0.0 did.
    ``unit`` is ``bytes`` for types whose elements share bytes. ``largest`` is the largest absolute difference of two
    finite numbers; ``relative`` the length of the difference over the length of the old values, both over the changed
    elements alone. Both are None for types without numbers. ``rows`` counts along the first axis; ``ranges`` are the
    first runs of changed rows, ends included.
    """

    elements: int
    unit: str = "elements"
    changed: int = 0
    rows: int | None = None
    rows_changed: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    largest: float | None = None
    relative: float | None = None
    nan_appeared: int = 0
    nan_gone: int = 0
    sign_of_zero: int = 0

    def __bool__(self) -> bool:
        return self.changed > 0


class Meter:
    """Collects a ``Move`` from the pieces of two tensors, front to back; equal pieces need not be shown to it."""

    def __init__(self, old: Tensor) -> None:
        self._dtype = old.dtype
        self._bits = dtypes.bits(old.dtype)
        self._numeric = dtypes.numeric(old.dtype) if self._bits else None
        self._row = math.prod(old.shape[1:]) if len(old.shape) > 1 else 1
        countable = self._bits in _WORDS or self._bits == 128
        self.move = Move(old.size, rows=old.shape[0] if old.shape and countable else None)
        if not countable and self._bits != 4:
            self.move.elements, self.move.unit = old.nbytes, "bytes"
        self._last_row = -1
        self._squares = [0.0, 0.0]

    def add(self, start: int, old: Piece, new: Piece) -> None:
        """Take in two pieces of the same length that start at byte ``start`` of the tensor."""
        with np.errstate(all="ignore"):  # infinities, signalling NaNs, the difference of two huge numbers
            self._add(start, old, new)

    def _add(self, start: int, old: Piece, new: Piece) -> None:
        if not (self._bits in _WORDS or self._bits == 128):
            self._add_packed(old, new)
            return
        for at in range(0, len(old), CHUNK):
            self._add_elements(start + at, old[at : at + CHUNK], new[at : at + CHUNK])

    def done(self) -> Move:
        """The finished difference."""
        moved, length = self._squares
        if self.move.largest is not None:
            self.move.relative = math.sqrt(moved / length) if length else None
        return self.move

    def _add_elements(self, start: int, old: Piece, new: Piece) -> None:
        assert self._bits is not None
        words = _WORDS.get(self._bits, "<u8")
        before, after = np.frombuffer(old, words), np.frombuffer(new, words)
        differs = before != after
        if self._bits == 128:
            differs = differs.reshape(-1, 2).any(axis=1)
        where = np.flatnonzero(differs)
        if not where.size:
            return
        self.move.changed += where.size
        if self.move.rows is not None:
            rows = (where + start * 8 // self._bits) // self._row
            self._add_rows(rows[np.flatnonzero(np.diff(rows, prepend=-1))])
        if self._numeric is not None:
            values = np.frombuffer(old, self._numeric), np.frombuffer(new, self._numeric)
            self._add_parameters(*(values if where.size == differs.size else (values[0][where], values[1][where])))

    def _add_packed(self, old: Piece, new: Piece) -> None:
        """Numbers that share bytes: count halves of bytes for the 4-bit type, else bytes."""
        crossed = np.frombuffer(old, np.uint8) ^ np.frombuffer(new, np.uint8)
        if self._bits == 4:
            self.move.changed += int(np.count_nonzero(crossed & 15) + np.count_nonzero(crossed >> 4))
        else:
            self.move.changed += int(np.count_nonzero(crossed))

    def _add_rows(self, rows: np.ndarray) -> None:
        rows = rows[rows > self._last_row]
        if not rows.size:
            return
        self.move.rows_changed += rows.size
        breaks = np.flatnonzero(np.diff(rows) > 1)
        firsts, lasts = rows[np.r_[0, breaks + 1]], rows[np.r_[breaks, -1]]
        for first, last in zip(firsts[:MOST_RANGES].tolist(), lasts[:MOST_RANGES].tolist(), strict=True):
            if self.move.ranges and first == self._last_row + 1 == self.move.ranges[-1][1] + 1:
                self.move.ranges[-1] = (self.move.ranges[-1][0], last)
            elif len(self.move.ranges) < MOST_RANGES:
                self.move.ranges.append((first, last))
            self._last_row = last
        self._last_row = int(rows[-1])

    def _add_parameters(self, old: np.ndarray, new: np.ndarray) -> None:
        if old.dtype.kind in "iub":
            self._add_distance(*_integer_distance(old, new))
            return
        wide = np.complex128 if old.dtype.kind == "c" else np.float64
        before, after = old.astype(wide), new.astype(wide)
        gap = after - before
        if not np.isfinite(gap).all():
            was_nan, is_nan = np.isnan(before), np.isnan(after)
            self.move.nan_appeared += int(np.count_nonzero(is_nan & ~was_nan))
            self.move.nan_gone += int(np.count_nonzero(was_nan & ~is_nan))
            finite = np.isfinite(before) & np.isfinite(after)
            before, gap = before[finite], gap[finite]
        self.move.sign_of_zero += gap.size - int(np.count_nonzero(gap))  # other bits, and yet equal
        self._add_distance(np.abs(gap), np.abs(before))

    def _add_distance(self, distance: np.ndarray, length: np.ndarray) -> None:
        if not distance.size:
            return
        self.move.largest = max(self.move.largest or 0.0, float(distance.max()))
        self._squares[0] += float(np.square(distance).sum())
        self._squares[1] += float(np.square(length).sum())  # a dot product would start threads of its own


def _integer_distance(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances and sizes as float64, the subtraction made exactly, in unsigned integers."""
    if old.dtype.kind == "b":
        old, new = old.astype(np.uint8), new.astype(np.uint8)
    unsigned = np.dtype(f"u{old.dtype.itemsize}")
    low, high = np.minimum(old, new).view(unsigned), np.maximum(old, new).view(unsigned)
    return (high - low).astype(np.float64), np.abs(old.astype(np.float64))
