"""Reads the database that Orbax keeps zarr arrays in (OCDBT): a manifest, a tree of keys, and files of values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.sources import Held, Span
from frostline.checkpoints.files.unpacking import missing, unpacked
from frostline.checkpoints.readers.zarr.store import Store, Value
from frostline.errors import CheckpointError

MANIFEST, NODE = bytes.fromhex("0cdb3a2a"), bytes.fromhex("0cdb20de")
HEADER, CHECKSUM, LONGEST_KEY = 14, 4, 2**16
LARGEST_NODE, MOST_BYTES, MOST_KEYS, MOST_FILES, MOST_LEVELS = 2**28, 2**30, 5_000_000, 10_000, 64
ONE_FILE = "open it with tensorstore and write the arrays with numpy.savez"


class Place(NamedTuple):
    """Where a node or a value lies: a file by the folder that its children's paths begin with, and a range in it."""

    base: str
    path: str
    offset: int
    length: int


def known(file: File) -> bool:
    """Whether ``file`` is the manifest of such a database, beside its data."""
    return file.alone and file.head[:4] == MANIFEST


def entries(checkpoint: Checkpoint) -> Store:
    """The keys and values of the newest version in the database whose manifest is the checkpoint's first file.

    Raises:
        CheckpointError: it is damaged, or a path in it leads out of its folder.
    """
    manifest = checkpoint.files[0]
    body = _Body(manifest, MANIFEST, manifest.read(0, manifest.size))
    body.take(16)  # the identifier of the database
    if body.number():
        raise manifest.bad("keeps its versions in numbered files, which are not read", ONE_FILE)
    body.numbers(2)  # the largest value in a node, the largest node
    body.take(1)
    if body.number():
        body.take(4)
    files = body.files("")
    versions = body.number()
    body.numbers(versions)
    heights = body.take(versions)
    root = body.places(files, versions)[-1:] if versions else []
    store: Store = {}
    if root and root[0].length:
        database = _Database(checkpoint)
        for key, value in database.below(root[0], heights[-1], b""):
            try:
                name = key.decode()
            except UnicodeDecodeError:
                raise manifest.bad("holds a key that is not UTF-8") from None
            if name in store:
                raise manifest.bad(f"holds the key {name!r} twice")
            store[name] = value
            if len(store) > MOST_KEYS:
                raise manifest.bad(f"holds more than {MOST_KEYS:,} keys")
    return store


class _Database:
    """The tree of keys, and the files that its nodes and values lie in, opened when they are first needed."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._manifest = checkpoint, checkpoint.files[0]
        self._files: dict[str, File] = {}
        self._left = MOST_BYTES

    def below(self, place: Place, height: int, prefix: bytes) -> Iterator[tuple[bytes, Value]]:
        """The keys and values below one node, in order; ``prefix`` begins all its keys."""
        span = self._span(place)
        if place.length > LARGEST_NODE:
            raise span.file.bad(f"holds a node of {place.length:,} bytes")
        node = _Body(span.file, NODE, span.file.read(span.offset, span.nbytes))
        self._left -= node.size
        if self._left < 0:
            raise self._manifest.bad(f"has a tree of keys of more than {MOST_BYTES:,} bytes")
        if node.take(1)[0] != height or height > MOST_LEVELS:
            raise span.file.bad("holds a node of another height than its parent says")
        files = node.files(place.base)
        count = node.number()
        if not height:
            yield from self._values(node, files, count, prefix)
            return
        keys, common = node.keys(count, with_common=True)
        children = node.places(files, count)
        for key, shared, child in zip(keys, common, children, strict=True):
            yield from self.below(child, height - 1, prefix + key[:shared])

    def _values(
        self, node: _Body, files: list[tuple[str, str]], count: int, prefix: bytes
    ) -> Iterator[tuple[bytes, Value]]:
        keys, _ = node.keys(count)
        lengths, kinds = node.numbers(count), node.numbers(count)
        apart = sum(kind == 1 for kind in kinds)
        which, offsets = node.numbers(apart), node.numbers(apart)
        places = iter(zip(which, offsets, strict=True))
        for key, length, kind in zip(keys, lengths, kinds, strict=True):
            if kind == 1:
                index, offset = next(places)
                yield prefix + key, self._span(node.place(files, index, offset, length))
            else:
                yield prefix + key, Held(node.take(length))

    def _span(self, place: Place) -> Span:
        """The bytes at a place; CheckpointError when its file does not hold them."""
        if place.path not in self._files:
            if len(self._files) >= MOST_FILES:
                raise self._manifest.bad(f"names more than {MOST_FILES:,} files")
            self._files[place.path] = File(sibling(self._manifest, place.path))
            self._checkpoint.files.append(self._files[place.path])
        file = self._files[place.path]
        if place.offset + place.length > file.size:
            raise file.bad(f"ends before byte {place.offset + place.length:,}, which a key of the database needs")
        return Span(file, place.offset, place.length)


class _Body:
    """What stands in a manifest or a node, unpacked, read front to back."""

    def __init__(self, file: File, magic: bytes, data: bytes) -> None:
        self._file, self._at = file, 0
        length = int.from_bytes(data[4:12], "little")
        if data[:4] != magic or length != len(data) or len(data) < HEADER + CHECKSUM or data[12]:
            raise file.bad("holds a node of a database (OCDBT) that is cut short or of another version")
        packed = data[HEADER:-CHECKSUM]
        self._data = self._whole(packed) if data[13] else packed

    @property
    def size(self) -> int:
        return len(self._data)

    def _whole(self, packed: bytes) -> bytes:
        found = bytearray()
        try:
            for piece in unpacked("zstd", [packed]):
                found += piece
                if len(found) > LARGEST_NODE:
                    raise self._file.bad(f"holds a node that unpacks to more than {LARGEST_NODE:,} bytes")
        except CheckpointError:
            raise
        except ImportError:
            raise missing(self._file, "zstd") from None
        except Exception as error:  # the library's own
            raise self._file.bad(f"cannot be unpacked ({type(error).__name__})") from None
        return bytes(found)

    def take(self, count: int) -> bytes:
        """So many bytes."""
        self._at += count
        if self._at > len(self._data):
            raise self._file.bad("holds a node of a database (OCDBT) that ends too early")
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        """One number of variable length."""
        value = 0
        for shift in range(0, 64, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise self._file.bad("holds a number of more than 64 bits")

    def numbers(self, count: int) -> list[int]:
        """So many numbers, each of at least a byte."""
        if count > len(self._data) - self._at:
            raise self._file.bad("holds a node of a database (OCDBT) that ends too early")
        return [self.number() for _ in range(count)]

    def keys(self, count: int, with_common: bool = False) -> tuple[list[bytes], list[int]]:
        """Keys, each with what it shares with the one before left out, and where asked for what all below it share."""
        shared = [0, *self.numbers(max(0, count - 1))]
        lengths = self.numbers(count)
        common = self.numbers(count) if with_common else []
        return self._joined(shared, lengths), common

    def files(self, parent: str) -> list[tuple[str, str]]:
        """The table of files: of each the folder that paths below it begin with, and its own path."""
        count = self.number()
        shared = [0, *self.numbers(max(0, count - 1))]
        lengths, bases = self.numbers(count), self.numbers(count)
        try:
            paths = [path.decode() for path in self._joined(shared, lengths)]
        except UnicodeDecodeError:
            raise self._file.bad("names a file that is not UTF-8") from None
        return [(parent + path[:base], parent + path) for path, base in zip(paths, bases, strict=True)]

    def _joined(self, shared: list[int], lengths: list[int]) -> list[bytes]:
        found: list[bytes] = []
        before, total = b"", 0
        for kept, length in itertools.islice(zip(shared, lengths, strict=False), len(lengths)):
            total += kept + length
            if kept > len(before) or kept + length > LONGEST_KEY or total > LARGEST_NODE:
                raise self._file.bad("holds keys or paths that cannot be")
            before = before[:kept] + self.take(length)
            found.append(before)
        return found

    def places(self, files: list[tuple[str, str]], count: int) -> list[Place]:
        """Where so many nodes lie, and past the counts that follow of each."""
        columns = [self.numbers(count) for _ in range(6)]  # file, offset, length; keys, bytes, bytes of values
        return [self.place(files, *row) for row in zip(*columns[:3], strict=True)]

    def place(self, files: list[tuple[str, str]], index: int, offset: int, length: int) -> Place:
        """A place by the number of its file in the table."""
        if index >= len(files):
            if length:
                raise self._file.bad("refers to a file that is not in its table")
            return Place("", "", offset, length)
        return Place(*files[index], offset, length)
