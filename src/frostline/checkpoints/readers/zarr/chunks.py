"""The bytes of a zarr array, put together from chunks that are unpacked while they are drawn."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import PIECE, Held, Piece, Repeated, Source, Swapped, regrouped
from frostline.checkpoints.files.tiles import LARGEST_ROW, Tile, Tiled
from frostline.checkpoints.files.unpacking import missing, unpacked
from frostline.checkpoints.files.zip_archive import HARMLESS_EXPANSION, LARGEST_RATIO
from frostline.checkpoints.readers.zarr.array import CHECKSUM, Array, Cut, Unread
from frostline.checkpoints.readers.zarr.store import Store, Value, content, part
from frostline.errors import CheckpointError

MOST_CHUNKS = 1_000_000
MOST_ABREAST = 2**28  # bytes of memory for chunks that lie beside each other in a row
NOT_WRITTEN = 2**64 - 1


def source(file: File, array: Array, store: Store, prefix: str) -> Source:
    """The bytes of an array whose chunks' keys begin with ``prefix``; the keys are taken out of the store.

    Raises:
        Unread: it is cut in a way that is not put together, or a chunk is missing that nothing stands in for.
        CheckpointError: a chunk is damaged.
    """
    _bounded(array)
    found: dict[tuple[int, ...], tuple[Value, Cut]] = {}
    stored = 0
    for corner in _corners(array.shape, array.cut.chunk):
        at = tuple(start // edge for start, edge in zip(corner, array.cut.chunk, strict=True))
        value = store.pop(prefix + array.key(at), None)
        if value is not None:
            stored += value.nbytes
            found.update(_opened(file, array, corner, value))
    size = math.prod(array.shape) * array.width
    if size > HARMLESS_EXPANSION and size > LARGEST_RATIO * stored:
        raise Unread(f"whose {stored:,} bytes claim to unpack to {size:,}")
    cut = array.inner or array.cut
    tiles = [_tile(file, array, corner, cut.chunk, found.get(corner)) for corner in _corners(array.shape, cut.chunk)]
    if not size:
        return Held(b"")
    return tiles[0].source if len(tiles) == 1 else Tiled(array.shape, array.width, tuple(tiles))


def _bounded(array: Array) -> None:
    chunk = (array.inner or array.cut).chunk
    grid = [-(-extent // edge) for extent, edge in zip(array.shape, chunk, strict=True)]
    size, abreast = math.prod(chunk) * array.width, math.prod(grid[1:])
    if math.prod(grid) > MOST_CHUNKS:
        raise Unread(f"cut into {math.prod(grid):,} chunks, more than are read")
    if abreast > 1 and (
        abreast * min(size, 2 * PIECE) > MOST_ABREAST or math.prod(array.shape[1:]) * array.width > LARGEST_ROW
    ):
        raise Unread(f"cut into {abreast:,} chunks beside each other, more than are put together")
    if math.prod(chunk[1:]) * array.width > LARGEST_ROW:
        raise Unread("cut into chunks whose rows are too large")


def _corners(shape: tuple[int, ...], chunk: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(0, extent, edge) for extent, edge in zip(shape, chunk, strict=True)))


def _opened(
    file: File, array: Array, corner: tuple[int, ...], value: Value
) -> Iterator[tuple[tuple[int, ...], tuple[Value, Cut]]]:
    """A chunk where it begins in the array; where it is a shard, those that lie in it."""
    inner = array.inner
    if inner is None:
        yield corner, (value, array.cut)
        return
    if array.cut.steps:
        raise Unread("packed as shards, which is not read")
    corners = list(_corners(array.cut.chunk, inner.chunk))
    size = 16 * len(corners) + 4 * inner.checked
    if value.nbytes < size:
        raise file.bad("holds a shard that ends before its index")
    index = content(part(value, value.nbytes - size if inner.at_end else 0, size))
    for number, below in enumerate(corners):
        offset, length = struct.unpack_from("<QQ", index, 16 * number)
        if offset == length == NOT_WRITTEN:
            continue
        if offset + length > value.nbytes:
            raise file.bad("holds a shard whose index refers to bytes behind its end")
        place = tuple(start + more for start, more in zip(corner, below, strict=True))
        yield place, (part(value, offset, length), inner)


def _tile(
    file: File, array: Array, corner: tuple[int, ...], chunk: tuple[int, ...], found: tuple[Value, Cut] | None
) -> Tile:
    sizes = tuple(min(edge, extent - at) for at, edge, extent in zip(corner, chunk, array.shape, strict=True))
    if found is None:
        if array.fill is None:
            raise Unread("of which a chunk is missing that no value stands in for")
        return Tile(corner, sizes, Repeated(array.fill, math.prod(sizes)))
    value, cut = found
    packed = Packed(file, value, cut.steps, math.prod(chunk) * array.width)
    inside: Source = packed if sizes == chunk else Cropped(packed, array.width, chunk, sizes)
    width = array.width // 2 if array.dtype.startswith("complex") else array.width
    return Tile(corner, sizes, Swapped(inside, width) if array.big and width > 1 else inside)


@dataclass(frozen=True, slots=True)
class Packed:
    """A chunk whose packing is undone step by step; it must come out at its size."""

    file: File
    value: Value
    steps: tuple[str, ...]
    nbytes: int

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._exact(), size)

    def _exact(self) -> Iterator[Piece]:
        total = 0
        try:
            for piece in self._undone():
                total += len(piece)
                if total > self.nbytes:
                    break
                yield piece
        except CheckpointError:
            raise
        except ImportError:
            raise missing(self.file, "zstd") from None
        except Exception as error:  # each library has errors of its own
            raise self.file.bad(f"holds a chunk that cannot be unpacked ({type(error).__name__})") from None
        if total != self.nbytes:
            raise self.file.bad(f"holds a chunk of another size than the {self.nbytes:,} bytes it should have")

    def _undone(self) -> Iterable[Piece]:
        pieces: Iterable[Piece] = self.value.pieces()
        for step in self.steps:
            pieces = _without_checksum(pieces) if step == CHECKSUM else unpacked(step, pieces)
        return pieces


@dataclass(frozen=True, slots=True)
class Cropped:
    """A chunk at the edge of an array: of its full size only what lies inside, ``sizes``, row by row."""

    source: Packed
    width: int
    chunk: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.sizes) * self.width

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._rows(), size)

    def _rows(self) -> Iterator[Piece]:
        inside = tuple(slice(extent) for extent in self.sizes[1:])
        row = math.prod(self.chunk[1:]) * self.width
        left = self.nbytes if self.chunk[1:] == self.sizes[1:] else self.sizes[0] * row
        step = max(row, PIECE // row * row)  # whole rows
        for piece in self.source.pieces(step):
            data = bytes(piece[:left])
            left -= len(data)
            yield np.frombuffer(data, f"V{self.width}").reshape(-1, *self.chunk[1:])[(slice(None), *inside)].tobytes()
            if not left:
                return


def _without_checksum(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """All but the last four bytes."""
    kept = b""
    for piece in pieces:
        kept += bytes(piece)
        yield kept[:-4]
        kept = kept[-4:]
