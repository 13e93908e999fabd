"""Reads the msgpack files of flax.serialization: nested tables with arrays as extension types."""

from __future__ import annotations

import struct

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Held, Span
from frostline.checkpoints.readers.format import Format

DEEPEST = 100
MOST_VALUES = 500_000
LONGEST_TEXT = 2**16
MOST_AXES = 64

ARRAY, COMPLEX, SCALAR = 1, 2, 3  # the extension types of flax

_FIXED = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_FIXED |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_SIZED = {  # instruction: what it starts, and how many bytes its size takes
    **{0xC4 + step: ("bytes", 2**step) for step in range(3)},
    **{0xC7 + step: ("extension", 2**step) for step in range(3)},
    **{0xD9 + step: ("text", 2**step) for step in range(3)},
    0xDC: ("list", 2),
    0xDD: ("list", 4),
    0xDE: ("table", 2),
    0xDF: ("table", 4),
}
Scalar = bool | int | float | None


def known(file: File) -> bool:
    """Whether ``file`` is a msgpack table whose first key is text."""
    head = file.head
    start = {0xDE: 3, 0xDF: 5}.get(head[0], 1 if 0x81 <= head[0] <= 0x8F else 0) if head else 0
    return bool(start) and len(head) > start and (0xA1 <= head[start] <= 0xBF or head[start] in (0xD9, 0xDA))


def read(file: File) -> Checkpoint:
    """The arrays in ``file`` under the keys that lead to them, joined with dots; none of them read yet."""
    checkpoint = Checkpoint(file.path, "flax", files=[file])
    reader = _Reader(checkpoint)
    reader.value("", 0)
    if reader.at != file.size:
        raise file.bad(f"its table ends at byte {reader.at:,}, the file at {file.size:,}")
    return checkpoint


class _Reader:
    """Walks the values of a file from the first to the last; what is large is passed over and its place kept."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.at = 0
        self._checkpoint, self._file, self._left = checkpoint, checkpoint.files[0], MOST_VALUES

    def value(self, name: str, depth: int) -> None:
        """Take the value that starts here, and all it holds, into the checkpoint."""
        kind, size = self._start()
        if depth > DEEPEST:
            raise self._file.bad(f"nests its values more than {DEEPEST} deep")
        if kind == "table":
            self._table(name, size, depth)
        elif kind == "list":
            for index in range(size):
                self.value(f"{name}.{index}" if name else str(index), depth + 1)
        elif kind == "extension":
            self._extension(name, size)
        elif kind == "bytes" or size > LONGEST_TEXT:
            self._skip(size)
            self._checkpoint.add_unread(name, f"{size:,} bytes that the file gives no type")
        else:
            self._extra(name, self._text(size) if kind == "text" else self._scalar)

    def _table(self, name: str, size: int, depth: int) -> None:
        keys = set()
        for _ in range(size):
            kind, length = self._start()
            if kind == "text" and length <= LONGEST_TEXT:
                key = self._text(length)
            elif kind == "scalar" and type(self._scalar) is int:
                key = str(self._scalar)
            else:
                raise self._file.bad("holds a table with a key that is neither a short text nor an integer")
            if key in keys:
                raise self._file.bad(f"holds a table with the key {key!r} twice")
            keys.add(key)
            self.value(f"{name}.{key}" if name else key, depth + 1)

    def _extra(self, name: str, value: str | Scalar) -> None:
        """Take in a value that is no array: a number as a tensor of one, anything else as text."""
        if isinstance(value, bool | int | float):
            dtype, code = {bool: ("bool", "?"), float: ("float64", "<d")}.get(type(value), ("int64", "<q"))
            dtype, code = ("uint64", "<Q") if dtype == "int64" and value >= 2**63 else (dtype, code)
            self._checkpoint.add(Tensor(name, dtype, (), Held(struct.pack(code, value)), note="a plain number"))
            return
        if name in self._checkpoint.extras:
            raise self._file.bad(f"the name {name!r} stands for two values")
        self._checkpoint.add_extra(name, repr(value))

    def _extension(self, name: str, size: int) -> None:
        code = self._take(1)[0]
        end = self.at + size
        if end > self._file.size:
            raise self._file.bad(f"{name!r} ends at byte {end:,}, the file at {self._file.size:,}")
        if code in (ARRAY, SCALAR):
            self._array(name, end)
        elif code == COMPLEX:
            self._complex(name)
        else:
            self._skip(size)
            self._checkpoint.add_unread(name, f"a msgpack extension of the unknown type {code}")
        if self.at != end:
            raise self._file.bad(f"{name!r} does not fill the {size:,} bytes it states")

    def _array(self, name: str, end: int) -> None:
        self._expect("list", 3, name)
        axes = self._expect("list", None, name)
        if axes > MOST_AXES:
            raise self._file.bad(f"{name!r} has {axes:,} axes")
        shape = tuple(self._extent(name) for _ in range(axes))
        dtype = self._text(min(self._expect("text", None, name), LONGEST_TEXT))
        size = self._expect("bytes", None, name)
        source = Span(self._file, self.at, size)
        self._skip(size)
        if self.at > end:
            raise self._file.bad(f"{name!r} runs over the end of the bytes it states")
        dtype = "bfloat16" if dtype == "V2" else dtype  # as early versions of flax named it
        if dtype in dtypes.BITS:
            self._checkpoint.add(Tensor(name, dtype, shape, source))
        else:
            self._checkpoint.add_unread(name, "an array of a type that is not known here")

    def _complex(self, name: str) -> None:
        self._expect("list", 2, name)
        parts = []
        for _ in range(2):
            self._expect("scalar", None, name)
            parts.append(self._scalar)
        if not all(type(part) is float for part in parts):
            raise self._file.bad(f"{name!r} is no complex number")
        self._checkpoint.add(Tensor(name, "complex128", (), Held(struct.pack("<2d", *parts))))

    def _extent(self, name: str) -> int:
        self._expect("scalar", None, name)
        extent = self._scalar
        if type(extent) is not int or not 0 <= extent <= 2**62:
            raise self._file.bad(f"{name!r} has an absurd shape")
        return extent

    def _expect(self, kind: str, size: int | None, name: str) -> int:
        found = self._start()
        if found[0] != kind or size not in (None, found[1]):
            raise self._file.bad(f"{name!r} is not an array as flax writes it")
        return found[1]

    def _start(self) -> tuple[str, int]:
        """What starts here and its size; a value without a size is kept in ``_scalar``."""
        self._left -= 1
        if self._left < 0:
            raise self._file.bad(f"holds more than {MOST_VALUES:,} values")
        code = self._take(1)[0]
        self._scalar: Scalar = None
        if code in _SIZED:
            kind, width = _SIZED[code]
            return kind, int.from_bytes(self._take(width), "big")
        for first, last, kind in ((0x80, 0x8F, "table"), (0x90, 0x9F, "list"), (0xA0, 0xBF, "text")):
            if first <= code <= last:
                return kind, code - first
        if 0xD4 <= code <= 0xD8:
            return "extension", 1 << (code - 0xD4)
        if code in _FIXED:
            (self._scalar,) = struct.unpack(_FIXED[code], self._take(struct.calcsize(_FIXED[code])))
        elif code <= 0x7F or code >= 0xE0:
            self._scalar = code if code <= 0x7F else code - 256
        elif code in _CONSTANTS:
            self._scalar = _CONSTANTS[code]
        else:
            raise self._file.bad(f"holds the unknown msgpack instruction 0x{code:02x}")
        return "scalar", 0

    def _take(self, count: int) -> bytes:
        data = self._file.read(self.at, count)
        self.at += count
        return data

    def _skip(self, count: int) -> None:
        if self.at + count > self._file.size:
            raise self._file.bad(f"ends at byte {self._file.size:,}, but bytes up to {self.at + count:,} are needed")
        self.at += count

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise self._file.bad("holds a text that is not UTF-8") from None


FORMAT = Format("flax msgpack", file=(known, read))
