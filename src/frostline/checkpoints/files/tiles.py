"""A tensor that is stored in parts: boxes of it, each a source of its own, drawn together row by row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from frostline.checkpoints.files.sources import BOX, PIECE, Piece, Source, regrouped

LARGEST_ROW = 2**28
MOST_TILES = 10_000


@dataclass(frozen=True, slots=True)
class Tile:
    """One part: where its box begins, how long its edges are, and its bytes in C order."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Tiled:
    """The whole of parts that fill ``shape`` without overlapping, as ``fills`` tells."""

    shape: tuple[int, ...]
    width: int
    tiles: tuple[Tile, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.width

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._rows(), size) if self.nbytes else iter(())

    def _rows(self) -> Iterator[Piece]:
        """Rows of the whole: straight from a part that has all of a row, or put together from those that share it."""
        waiting = sorted((tile for tile in self.tiles if math.prod(tile.sizes)), key=lambda tile: -tile.offsets[0])
        edges = sorted({edge for tile in waiting for edge in (tile.offsets[0], tile.offsets[0] + tile.sizes[0])})
        band: list[tuple[Tile, _Stream]] = []
        for start, stop in itertools.pairwise(edges):
            band = [(tile, stream) for tile, stream in band if tile.offsets[0] + tile.sizes[0] > start]
            while waiting and waiting[-1].offsets[0] == start:
                tile = waiting.pop()
                band.append((tile, _Stream(tile.source)))
            if len(band) == 1:
                yield from band[0][1].drawn((stop - start) * self._row(self.shape))
                continue
            step = max(1, BOX // self._row(self.shape))
            for row in range(start, stop, step):
                yield self._box(min(step, stop - row), band)

    def _box(self, rows: int, band: list[tuple[Tile, _Stream]]) -> bytes:
        box = np.empty((rows, *self.shape[1:]), f"V{self.width}")
        for tile, stream in band:
            data = b"".join(map(bytes, stream.drawn(rows * self._row(tile.sizes))))
            places = tuple(slice(at, at + count) for at, count in zip(tile.offsets[1:], tile.sizes[1:], strict=True))
            box[(slice(None), *places)] = np.frombuffer(data, f"V{self.width}").reshape(rows, *tile.sizes[1:])
        return box.tobytes()

    def _row(self, sizes: tuple[int, ...]) -> int:
        return math.prod(sizes[1:]) * self.width


class _Stream:
    """The bytes of a source, so many at a time; a buffer belongs to the caller until it draws the next one."""

    def __init__(self, source: Source) -> None:
        self._pieces = source.pieces()
        self._left: memoryview = memoryview(b"")

    def drawn(self, count: int) -> Iterator[memoryview]:
        while count:
            if not self._left:
                self._left = memoryview(next(self._pieces))
            taken = self._left[:count]
            self._left = self._left[len(taken) :]
            count -= len(taken)
            yield taken


def fills(shape: tuple[int, ...], boxes: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> bool:
    """Whether boxes, each an offset and sizes and not too many, fill a shape without gaps and without overlapping.

    >>> fills((4, 2), [((0, 0), (3, 2)), ((3, 0), (1, 2))]), fills((4,), [((0,), (2,)), ((1,), (2,))])
    (True, False)
    """
    if len(boxes) > MOST_TILES or any(not len(offsets) == len(sizes) == len(shape) for offsets, sizes in boxes):
        return False
    if any(number < 0 for box in boxes for edges in box for number in edges):
        return False
    starts = np.array([offsets for offsets, _ in boxes], object).reshape(len(boxes), len(shape))
    stops = starts + np.array([sizes for _, sizes in boxes], object).reshape(len(boxes), len(shape))
    if (stops > np.array(shape, object)).any() or sum(math.prod(sizes) for _, sizes in boxes) != math.prod(shape):
        return False
    lows, highs = starts.astype(np.int64), stops.astype(np.int64)
    for index in range(len(boxes)):
        if (
            len(boxes) > 1
            and (
                ((lows[:index] < highs[index]) & (lows[index] < highs[:index])).all(axis=1)
                & (highs[:index] > lows[:index]).all(axis=1)
            ).any()
            and math.prod(boxes[index][1])
        ):
            return False
    return True
