"""Protocol buffers taken apart field by field, where they lie in a file; nothing is read but what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from frostline.checkpoints.files.file import File

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 5_000_000
LONGEST_TEXT = 2**16
BLOCK = 2**16


class Field(NamedTuple):
    """One field: its number and wire type, its value if a varint, and where its content lies."""

    number: int
    wire: int
    value: int
    start: int
    stop: int


class Reader:
    """Reads messages out of a file. All of it together gives up after ``MOST_FIELDS`` fields."""

    def __init__(self, file: File) -> None:
        self._file, self._left = file, MOST_FIELDS
        self._block, self._block_start = b"", 0

    def fields(self, start: int, stop: int) -> Iterator[Field]:
        """The fields of the message in [start, stop); CheckpointError where it is none."""
        at = start
        while at < stop:
            self._left -= 1
            if self._left < 0:
                raise self._file.bad(f"holds more than {MOST_FIELDS:,} fields")
            tag, at = self._varint(at, stop)
            number, holding, value, begin = tag >> 3, tag & 7, 0, at
            if holding == VARINT:
                value, at = self._varint(at, stop)
            elif holding == BYTES:
                length, begin = self._varint(at, stop)
                at = begin + length
            elif holding in (FIXED32, FIXED64):
                at += 4 if holding == FIXED32 else 8
            else:
                raise self._file.bad(f"holds a field of the wire type {holding}, which nothing writes")
            if at > stop or not number:
                raise self._file.bad(f"ends inside its field {number}")
            yield Field(number, holding, value, begin, at)

    def text(self, field: Field) -> str:
        """The text in a field."""
        if field.wire != BYTES or field.stop - field.start > LONGEST_TEXT:
            raise self._file.bad(f"its field {field.number} is no short text")
        try:
            return self._file.read(field.start, field.stop - field.start).decode()
        except UnicodeDecodeError:
            raise self._file.bad("holds a name that is not UTF-8") from None

    def size(self, field: Field) -> list[int]:
        """The varints in a field, packed or a single one."""
        if field.wire == VARINT:
            return [field.value]
        return [int(number) for number in self.packed(field)]

    def packed(self, field: Field) -> np.ndarray:
        """Packed varints as 64-bit integers."""
        data = np.frombuffer(self._file.read(field.start, field.stop - field.start), np.uint8)
        ends = np.flatnonzero(data < 0x80)
        if not data.size:
            return np.zeros(0, np.int64)
        if not ends.size or ends[-1] != data.size - 1:
            raise self._file.bad(f"ends inside a number of its field {field.number}")
        starts = np.concatenate(([0], ends[:-1] + 1))
        if (ends - starts).max() > 9:
            raise self._file.bad(f"holds a number of more than 64 bits in its field {field.number}")
        place = np.arange(data.size) - np.repeat(starts, ends - starts + 1)
        parts = (data & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
        return np.bitwise_or.reduceat(parts, starts).astype(np.int64)

    def _varint(self, at: int, stop: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            if at >= stop:
                raise self._file.bad("ends inside a field")
            index = at - self._block_start
            if not 0 <= index < len(self._block):
                self._block_start, index = at, 0
                self._block = self._file.read(at, min(BLOCK, self._file.size - at))
            byte = self._block[index]
            value |= (byte & 0x7F) << shift
            at += 1
            if byte < 0x80:
                return value & (2**64 - 1), at
            shift += 7
            if shift > 63:
                raise self._file.bad("holds a number of more than 64 bits")


def signed(value: int) -> int:
    """A varint as the signed number it stands for.

    >>> signed(2**64 - 1)
    -1
    """
    return value - 2**64 if value >= 2**63 else value
