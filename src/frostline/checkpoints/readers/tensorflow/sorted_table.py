"""The sorted table that TensorFlow keeps the index of a checkpoint in: blocks of keys and values, keys ascending."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from frostline.checkpoints.files.file import File

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
LARGEST = 2**28
LONGEST_KEY, MOST_KEY_BYTES = 2**16, 2**27
TRAILER = 5  # behind each block: how it is packed, and a checksum


class Entry(NamedTuple):
    """A key, and where its value lies in the file."""

    key: bytes
    start: int
    stop: int


def known(file: File) -> bool:
    """Whether ``file`` ends as a sorted table does."""
    return file.tail(len(MAGIC)) == MAGIC


def entries(file: File) -> Iterator[Entry]:
    """All entries of the table in ``file``; CheckpointError where it is damaged, or its keys do not ascend."""
    if not FOOTER <= file.size <= LARGEST:
        raise file.bad(f"is {file.size:,} bytes long, which no index of a checkpoint is")
    footer = file.tail(FOOTER)
    at = 0
    handle = []
    for _ in range(4):  # the place and size of a block about the table, then of the index of blocks
        number, at = _varint(file, footer, at)
        handle.append(number)
    before, total = b"", 0
    for block in _block(file, handle[2], handle[3]):
        place = file.read(block.start, block.stop - block.start)
        start, at = _varint(file, place, 0)
        size, _ = _varint(file, place, at)
        for entry in _block(file, start, size):
            total += len(entry.key)
            if total and entry.key <= before:
                raise file.bad("its keys do not ascend")
            if total > MOST_KEY_BYTES:
                raise file.bad(f"its keys take more than {MOST_KEY_BYTES:,} bytes")
            before = entry.key
            yield entry


def _block(file: File, start: int, size: int) -> Iterator[Entry]:
    data = file.read(start, size + TRAILER)
    if data[size]:
        raise file.bad("has a packed index", "save the checkpoint again with TensorFlow")
    restarts = struct.unpack_from("<I", data, size - 4)[0] if size >= 4 else 0
    end = size - 4 - 4 * restarts
    if end < 0:
        raise file.bad("holds a block that is no table")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(file, data, at)
        fresh, at = _varint(file, data, at)
        length, at = _varint(file, data, at)
        if shared > len(key) or at + fresh + length > end or shared + fresh > LONGEST_KEY:
            raise file.bad("holds a block that is no table")
        key = key[:shared] + data[at : at + fresh]
        yield Entry(key, start + at + fresh, start + at + fresh + length)
        at += fresh + length


def _varint(file: File, data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise file.bad("ends inside a number of its table")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise file.bad("holds a number of more than 64 bits")
