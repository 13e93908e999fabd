"""Where the bytes of a tensor lie in a file, and how they are drawn block by block in C order, little endian."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from frostline.checkpoints.files.file import File

PIECE = 512 * 1024  # small enough to stay in a core's cache, a multiple of the digest's block
BOX = 16 * 2**20  # working memory of a gather
NEAR = 64 * 1024  # bytes that are read at once although most of them are not wanted

Piece = bytes | bytearray | memoryview


class Source(Protocol):
    """The bytes of one tensor."""

    @property
    def nbytes(self) -> int: ...

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        """Consecutive buffers of exactly ``size`` bytes, the last one shorter.

        A buffer belongs to the caller until it draws the next one. ``size`` is a multiple of 16.
        """
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that came with the structure of the file and are in memory."""

    data: bytes

    @property
    def nbytes(self) -> int:
        return len(self.data)

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        for start in range(0, len(self.data), size):
            yield self.data[start : start + size]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes in a file, as most tensors are."""

    file: File
    offset: int
    nbytes: int

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        buffer = bytearray(min(size, self.nbytes))
        for start in range(0, self.nbytes, size):
            if self.nbytes - start < len(buffer):
                buffer = bytearray(self.nbytes - start)
            self.file.read_into(self.offset + start, buffer)
            yield buffer


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part that was never written: its fill value, over and over."""

    fill: bytes
    count: int

    @property
    def nbytes(self) -> int:
        return len(self.fill) * self.count

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        for start in range(0, self.nbytes, size):
            count = min(size, self.nbytes - start)
            yield (self.fill * (-(-count // len(self.fill)) + 1))[start % len(self.fill) :][:count]


@dataclass(frozen=True, slots=True)
class Swapped:
    """Another source whose elements of ``width`` bytes are stored big end first."""

    source: Source
    width: int

    @property
    def nbytes(self) -> int:
        return self.source.nbytes

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        for piece in self.source.pieces(size):
            if self.width > 8:  # numpy has no integer so wide
                yield np.frombuffer(piece, "u1").reshape(-1, self.width)[:, ::-1].tobytes()
            else:
                yield np.frombuffer(piece, f"u{self.width}").byteswap().tobytes()


@dataclass(frozen=True, slots=True)
class Negated:
    """Another source with the ``bits`` of every element of ``width`` bytes turned over: the signs of its numbers."""

    source: Source
    width: int
    bits: bytes

    @property
    def nbytes(self) -> int:
        return self.source.nbytes

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        bits = np.frombuffer(self.bits, np.uint8)
        for piece in self.source.pieces(size):
            yield (np.frombuffer(piece, np.uint8).reshape(-1, self.width) ^ bits).tobytes()


@dataclass(frozen=True, slots=True)
class Strided:
    """A view that is not contiguous: boxes of at most ``BOX`` bytes are gathered with as few reads as strides allow.

    ``strides`` count bytes and are not negative; the caller has checked that the view lies inside the file.
    """

    file: File
    offset: int
    width: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.width

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._boxes(self.offset, self.shape, self.strides), size) if self.nbytes else iter(())

    def _boxes(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Iterator[bytes]:
        inner = math.prod(shape[1:]) * self.width
        if not shape or shape[0] * inner <= BOX:
            yield self._gather(offset, shape, strides).tobytes()
        elif inner <= BOX:
            step = BOX // inner
            for start in range(0, shape[0], step):
                rows = min(step, shape[0] - start)
                yield self._gather(offset + start * strides[0], (rows, *shape[1:]), strides).tobytes()
        else:
            for index in range(shape[0]):
                yield from self._boxes(offset + index * strides[0], shape[1:], strides[1:])

    def _gather(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
        distinct = tuple(1 if stride == 0 else extent for extent, stride in zip(shape, strides, strict=True))
        extent = sum((count - 1) * stride for count, stride in zip(distinct, strides, strict=True)) + self.width
        if extent <= max(4 * math.prod(distinct) * self.width, NEAR):
            data = np.frombuffer(self.file.read(offset, extent), np.uint8)
            items = np.ndarray(distinct, f"V{self.width}", data.data, strides=strides)
            return np.broadcast_to(items, shape)
        axis = max(range(len(shape)), key=lambda axis: strides[axis] * (distinct[axis] > 1))
        gathered = np.empty(distinct, f"V{self.width}")
        along = np.moveaxis(gathered, axis, 0)
        for index in range(distinct[axis]):
            rest = distinct[:axis] + distinct[axis + 1 :]
            along[index] = self._gather(offset + index * strides[axis], rest, strides[:axis] + strides[axis + 1 :])
        return np.broadcast_to(gathered, shape)


@dataclass(frozen=True, slots=True)
class Inflated:
    """A deflated entry of a zip archive, less its first ``skip`` bytes."""

    file: File
    offset: int
    stored: int
    expanded: int
    checksum: int
    skip: int = 0

    @property
    def nbytes(self) -> int:
        return self.expanded - self.skip

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._skipped(), size)

    def _skipped(self) -> Iterator[bytes]:
        left = self.skip
        for data in self._inflate():
            if left < len(data):
                yield data[left:]
            left = max(0, left - len(data))

    def _inflate(self) -> Iterator[bytes]:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        total = checksum = 0
        for packed in Span(self.file, self.offset, self.stored).pieces():
            waiting: bytes = bytes(packed)
            while waiting and not machine.eof:
                try:
                    data = machine.decompress(waiting, PIECE)
                except zlib.error:
                    raise self.file.bad("holds compressed data that cannot be unpacked") from None
                waiting = machine.unconsumed_tail
                total += len(data)
                checksum = zlib.crc32(data, checksum)
                if total > self.expanded:
                    raise self.file.bad(f"unpacks to more than the {self.expanded:,} bytes it states")
                if data:
                    yield data
        if total != self.expanded or checksum != self.checksum:
            raise self.file.bad("holds compressed data whose length or checksum is wrong")


def regrouped(parts: Iterable[Piece], size: int) -> Iterator[Piece]:
    """The same bytes in pieces of exactly ``size``, the last one shorter."""
    waiting = bytearray()
    for part in parts:
        start = 0
        if waiting:
            start = min(len(part), size - len(waiting))
            waiting += part[:start]
            if len(waiting) < size:
                continue
            yield waiting
            waiting = bytearray()
        whole = start + (len(part) - start) // size * size
        for at in range(start, whole, size):
            yield part[at : at + size]
        waiting += part[whole:]
    if waiting:
        yield waiting
