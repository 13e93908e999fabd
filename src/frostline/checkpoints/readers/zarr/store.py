"""A store of keys and values as zarr keeps its arrays in: a folder of files, or a database in one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.sources import PIECE, Held, Piece, Span

MOST_FILES = 1_000_000


@dataclass(frozen=True, slots=True)
class Loose:
    """Bytes of a file that is opened when they are drawn, as one of very many; it must be as it was when listed."""

    path: Path
    stamp: tuple[int, int]
    offset: int
    nbytes: int

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        file = File(self.path)
        try:
            if file.stamp != self.stamp:
                raise file.bad("changed while it was being read", "wait until its writer is done, then try again")
            yield from Span(file, self.offset, self.nbytes).pieces(size)
            file.check_unchanged()
        finally:
            file.close()


Value = Held | Span | Loose
Store = dict[str, Value]


def part(value: Value, start: int, count: int) -> Value:
    """``count`` bytes of a value from ``start``; the caller has checked that it holds them.

    >>> part(Held(b"abcdef"), 1, 3).data
    b'bcd'
    """
    if isinstance(value, Held):
        return Held(value.data[start : start + count])
    return dataclasses.replace(value, offset=value.offset + start, nbytes=count)


def content(value: Value) -> bytes:
    """All bytes of a short value."""
    return b"".join(bytes(piece) for piece in value.pieces())


def of_folder(file: File) -> Store:
    """The files below the folder that ``file`` is in, by their paths in it.

    Raises:
        CheckpointError: a link leads out of the folder, or there are too many files.
    """
    store: Store = {}
    root = file.path.parent
    for place, folders, names in os.walk(root):
        folders.sort()
        for name in folders:
            if Path(place, name).is_symlink():
                raise file.bad(f"has a link to the folder {name!r} beside it", "links to folders are not followed")
        for name in sorted(names):
            key = Path(place, name).relative_to(root).as_posix()
            path = sibling(file, key)
            seen = os.stat(path)
            store[key] = Loose(path, (seen.st_size, seen.st_mtime_ns), 0, seen.st_size)
        if len(store) > MOST_FILES:
            raise file.bad(f"is in a folder of more than {MOST_FILES:,} files", "name the folder of one array")
    return store
