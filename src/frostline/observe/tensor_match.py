"""One tensor that is being written to a file, against the tensor that it stands for: judged by a few parts of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from frostline.core.columns.saved import CopyState
from frostline.core.names.name_matching import Shape
from frostline.digest.blocks import BLOCK, blocks
from frostline.digest.floats import FLOATS, Reals
from frostline.observe.protocols import LiveTensor, Unreadable
from frostline.observe.tensor_state import TensorState

FEW = 8  # tensors of fewer values go together with others by chance
VALUES = 128  # of each tensor, its first
CLOSE = 0.5  # the correlation of values that were only adjusted: of as many redrawn ones it is 0 ± 0.09
_GOLDEN = 0.618
_PART = 64 * 1024  # bytes
_ZEROS = b"\x00\x80"  # the bytes of 0.0 and -0.0


class Readable(Protocol):
    """Bytes that can be had in parts, in C order; Unreadable with the reason where they cannot."""

    def part(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop)."""


@dataclass(slots=True)
class Written:
    """A tensor on its way into a file.

    ``section`` says where it stands in what is written (dictionaries are told apart, so that an average kept beside
    the weights is one of its own). ``tensor`` is the key of the tensor whose very memory it is, ``taken`` the step at
    which the script took it, ``origin`` asks for the module that holds it. ``cut`` gives what is written of the part
    that this process holds of a sharded tensor; ``part`` names that part where no more than it is written.
    """

    name: str
    section: str
    shape: Shape
    dtype: str
    bytes: int
    content: Readable
    entry: Hashable | None = None
    taken: int | None = None
    origin: Callable[[], str | None] | None = None
    cut: Callable[[LiveTensor], Written] | None = None
    part: str = ""

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a written tensor holds of a tensor; ``rows`` where it has fewer, with ``rest_zero`` where the others are."""

    state: CopyState
    rows: int | None = None
    rest_zero: bool = False


def sampled(size: int) -> Iterator[tuple[int, int]]:
    """The parts of ``size`` bytes that stand for all: both ends, the middle, and one between.

    >>> list(sampled(100))
    [(0, 100)]
    """
    count = -(-size // _PART)
    for index in sorted({0, count // 2, round(count * _GOLDEN), count - 1} & set(range(count))):
        yield index * _PART, min(size, (index + 1) * _PART)


def mark(content: Readable, size: int) -> bytes:
    """A digest of the sampled parts."""
    return blocks(b"".join(content.part(start, stop) for start, stop in sampled(size))).hashes


def kind_of(dtype: str, shape: tuple[int, ...]) -> bytes:
    """What digests of tensors of this type and shape begin with."""
    return f"{dtype}{shape}".encode()


def values_of(content: Readable, dtype: str, size: int) -> Reals | None:
    """The first values of a tensor of real floats of this size; None where they are few, or all the same.

    Raises:
        Unreadable: the tensor cannot be read.
    """
    layout = FLOATS.get(dtype)
    if layout is None or layout.parts > 1 or size < FEW:
        return None
    width = layout.width // 8
    values = layout.values(np.frombuffer(content.part(0, min(size, VALUES) * width), f"<u{width}"))
    return values if np.ptp(values) else None


def are_close(one: Reals, other: Reals) -> bool:
    """Whether two tensors' values go together, as where one was rounded, scaled or adjusted to become the other."""
    if len(one) != len(other) or len(one) < FEW:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        return bool(np.corrcoef(one, other)[0, 1] >= CLOSE)


def likeness(written: Written, watched: TensorState) -> Likeness:
    """How ``written`` relates to the tensor as it is in memory now, and as it was at the first check.

    Raises:
        Unreadable: one of them cannot be read.
    """
    row = watched.row
    if row.part is not None:
        if written.cut is None:
            raise Unreadable("which part of it this process holds cannot be told")
        written = written.cut(watched.entry)
    elif written.shape != row.shape:
        return _fewer_rows(written, watched)
    if written.dtype != row.dtype:
        return Likeness(_cast(written, watched))
    content, memory = written.content, watched.entry
    if all(content.part(start, stop) == memory.part(start, stop) for start, stop in sampled(row.bytes_here)):
        return Likeness("same")
    if _is_zero(written) and not _starts_with_zero(watched):
        return Likeness("zero")
    first = written.bytes == row.bytes_here and holds_first(content, watched)
    return Likeness("first" if first else "other")


def holds_first(content: Readable, watched: TensorState) -> bool:
    """Whether the bytes are those of the first check: a block tells that they are not, all of them that they are."""
    first, size = watched.first, watched.row.bytes_here
    if first is None:
        return False
    head = content.part(0, min(size, BLOCK))
    return blocks(head).hashes == first.hashes[:8] and blocks(content.part(0, size)) == first


def _is_zero(written: Written) -> bool:
    if written.dtype not in FLOATS or any(any(written.content.part(*place)) for place in sampled(written.bytes)):
        return False
    return not any(written.content.part(0, written.bytes))


def _starts_with_zero(watched: TensorState) -> bool:
    return not any(any(watched.entry.part(*place)) for place in sampled(watched.row.bytes_here))


def _fewer_rows(written: Written, watched: TensorState) -> Likeness:
    row = watched.row
    alike = written.dtype == row.dtype and len(written.shape) == len(row.shape) > 0
    if not alike or written.shape[1:] != row.shape[1:] or not 0 < written.shape[0] < row.shape[0]:
        return Likeness("other")
    common = sampled(written.bytes)
    same = all(written.content.part(start, stop) == watched.entry.part(start, stop) for start, stop in common)
    if not same:
        return Likeness("other")
    rest = range(written.bytes, row.bytes, _PART)
    parts = (watched.entry.part(start, min(start + _PART, row.bytes)) for start in rest)
    used = any(part.translate(None, _ZEROS) for part in parts)
    return Likeness("fewer-rows", written.shape[0], not used)


def _cast(written: Written, watched: TensorState) -> CopyState:
    """A tensor in another type: the memory's values up to rounding, numbers that do not fit, or something else."""
    layout, own = FLOATS.get(written.dtype), FLOATS.get(watched.row.dtype)
    if layout is None or own is None or layout.parts != own.parts:
        return "other"
    width, wide = layout.width // 8 * layout.parts, own.width // 8 * own.parts
    overflow = False
    for start, stop in sampled(watched.row.bytes_here):
        first, last = start // wide, stop // wide
        codes = _codes(written.content.part(first * width, last * width), layout.width)
        held = _codes(watched.entry.part(first * wide, last * wide), own.width)
        values, memory = layout.values(codes), own.values(held)
        lost = np.isfinite(memory) & ~np.isfinite(values)
        overflow |= bool(lost.any())
        if not _close(values, memory, layout.ulps(codes), own.ulps(held), lost):
            return "zero" if not values.any() and memory.any() and _is_zero(written) else "other"
    return "overflow" if overflow else "rounded"


def _close(values: Reals, memory: Reals, step: Reals, own_step: Reals, lost: Any) -> bool:
    with np.errstate(invalid="ignore"):
        near = np.abs(values - memory) <= np.maximum(step, own_step)
    return bool((near | lost | ~np.isfinite(memory)).all())


def _codes(content: bytes, width: int) -> Any:
    return np.frombuffer(content, f"<u{width // 8}")
