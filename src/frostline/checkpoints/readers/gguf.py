"""Reads GGUF files: typed metadata, a table of tensors, and their blocks of numbers, quantised ones as bytes."""

from __future__ import annotations

import io
import math
import struct

import numpy as np

from frostline.checkpoints.checkpoint import REST, Checkpoint, Tensor
from frostline.checkpoints.extras import mark
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.sources import Source, Span, Swapped
from frostline.checkpoints.readers.format import Format

MAGIC = b"GGUF"
STRUCTURE_LIMIT = 2**29
LONGEST_SHOWN = 64
MOST_AXES = 8

# type number: our name, elements of a block, bytes of a block
TYPES: dict[int, tuple[str, int, int]] = {
    0: ("float32", 1, 4),
    1: ("float16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("int8", 1, 1),
    25: ("int16", 1, 2),
    26: ("int32", 1, 4),
    27: ("int64", 1, 8),
    28: ("float64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("bfloat16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9


def known(file: File) -> bool:
    """Whether ``file`` is a GGUF file."""
    return file.head[:4] == MAGIC


def read(file: File) -> Checkpoint:
    """The checkpoint in ``file``, none of its tensors read yet."""
    parser = _Parser(file)
    tensors, pairs = parser.number("Q"), parser.number("Q")
    checkpoint = Checkpoint(file.path, "gguf", files=[file], configures=True)
    alignment = 32
    for _ in range(pairs):
        key, value = parser.text(), parser.value(parser.number("I"))
        if key in checkpoint.metadata:
            raise file.bad(f"sets {key!r} twice")
        checkpoint.metadata[key] = value
        if key == "general.alignment":
            alignment = int(value) if value.isdigit() else 0
    if alignment < 1 or alignment > 2**20:
        raise file.bad("has an unusable general.alignment")
    table = [parser.tensor() for _ in _counted(file, tensors)]
    base = -(-parser.at // alignment) * alignment
    end = 0
    for name, shape, kind, offset in sorted(table, key=lambda row: row[3]):
        if offset - end >= alignment:
            checkpoint.add_bytes(f"before {name}", Span(file, base + end, min(offset, file.size - base) - end))
        end = _add(checkpoint, parser, base, end, name, shape, kind, offset)
    padding = min(alignment, max(0, file.size - base - end))
    if file.size - base - end > alignment or any(file.read(base + end, padding)):
        checkpoint.add_bytes(REST, Span(file, base + end, file.size - base - end))
    places = {name: place for place, (name, *_) in enumerate(table)}
    checkpoint.tensors = dict(sorted(checkpoint.tensors.items(), key=lambda item: places.get(item[0], len(places))))
    return checkpoint


def _counted(file: File, count: int) -> range:
    if count > file.size // 24:
        raise file.bad(f"claims {count:,} tensors, more than its {file.size:,} bytes can list")
    return range(count)


def _add(
    checkpoint: Checkpoint,
    parser: _Parser,
    base: int,
    end: int,
    name: str,
    shape: tuple[int, ...],
    kind: int,
    offset: int,
) -> int:
    file = checkpoint.files[0]
    if kind not in TYPES:
        checkpoint.add_unknown(name, f"ggml-type-{kind}", shape, f"GGUF type {kind} is not known here")
        return end
    dtype, elements, size = TYPES[kind]
    values = math.prod(shape)
    row = shape[-1] if shape else 1
    if row % elements:
        raise file.bad(f"{name!r} has rows of {row:,} numbers, which {dtype} cannot pack")
    nbytes = values // elements * size
    if offset < end:
        raise file.bad(f"{name!r} overlaps the tensor before it")
    if base + offset + nbytes > file.size:
        raise file.bad(f"{name!r} ends at byte {base + offset + nbytes:,}, the file at {file.size:,}")
    source: Source = Span(file, base + offset, nbytes)
    note = f"quantised in blocks of {elements}; compared as bytes" if elements > 1 else ""
    if parser.order == ">":
        if elements > 1:
            checkpoint.add_unknown(name, dtype, shape, "quantised and stored big end first")
            return offset + nbytes
        source = Swapped(source, size) if size > 1 else source
    checkpoint.add(Tensor(name, dtype, shape, source, note=note))
    return offset + nbytes


class _Parser:
    """The structure of a GGUF file read front to back, never past ``STRUCTURE_LIMIT``."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._stream = io.BufferedReader(Window(file), 2**16)
        self.at = 0
        self._take(4)
        version = self._take(4)
        self.order = "<" if version[0] else ">"
        self.version = self._unpack("I", version)
        if self.version not in (1, 2, 3):
            raise file.bad(f"is GGUF version {self.version}; versions 1 to 3 are read")
        self._narrow = self.version == 1

    def number(self, code: str) -> int:
        """One integer; counts and lengths, code Q, take half as many bytes in version 1."""
        if code == "Q" and self._narrow:
            code = "I"
        return self._unpack(code, self._take(struct.calcsize("<" + code)))

    def text(self) -> str:
        try:
            return self._take(self.number("Q")).decode()
        except UnicodeDecodeError:
            raise self._file.bad("holds a name or a text that is not UTF-8") from None

    def value(self, kind: int, depth: int = 0) -> str:
        """One metadata value as text; a long array by its first members and a mark of all."""
        if kind in _SCALARS:
            code = _SCALARS[kind]
            return str(struct.unpack(self.order + code, self._take(struct.calcsize("<" + code)))[0])
        if kind == _TEXT:
            return self.text()
        if kind != _ARRAY or depth > 3:
            raise self._file.bad(f"holds a metadata value of type {kind}, nested {depth} deep")
        return self._array(depth)

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        """One row of the tensor table: name, shape outermost axis first, type, offset."""
        name, axes = self.text(), self.number("I")
        if axes > MOST_AXES:
            raise self._file.bad(f"{name!r} has {axes:,} axes")
        shape = tuple(self.number("Q") for _ in range(axes))[::-1]
        if math.prod(shape) > 2**62:
            raise self._file.bad(f"{name!r} has an absurd shape")
        return name, shape, self.number("I"), self._unpack("Q", self._take(8))

    def _array(self, depth: int) -> str:
        """An array as text; the mark of a long one is that of its values, whatever the byte order."""
        kind, count, start = self.number("I"), self.number("Q"), self.at
        shown = min(count, LONGEST_SHOWN)
        first = [self.value(kind, depth + 1) for _ in range(shown)]
        if kind in _SCALARS:
            self._take((count - shown) * struct.calcsize("<" + _SCALARS[kind]))
            content = self._numbers(kind, start) if count > shown else b""
        else:
            content = _lengthened(first) + b"".join(
                _lengthened([self.value(kind, depth + 1)]) for _ in range(count - shown)
            )
        rest = f", … {mark(content)}" if count > shown else ""
        return f"[{', '.join(first)}{rest}] ({count:,})"

    def _numbers(self, kind: int, start: int) -> bytes:
        """The bytes of an array of numbers from ``start`` to here, little end first."""
        numbers = np.frombuffer(self._file.read(start, self.at - start), self.order + _SCALARS[kind])
        return numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()

    def _take(self, count: int) -> bytes:
        self.at += count
        if self.at > min(self._file.size, STRUCTURE_LIMIT):
            raise self._file.bad("ends inside its own table of contents, or one of its counts is wrong")
        return self._stream.read(count)

    def _unpack(self, code: str, data: bytes) -> int:
        return int(struct.unpack(self.order + code, data)[0])


def _lengthened(texts: list[str]) -> bytes:
    """Texts one after the other, each with its length before it."""
    return b"".join(len(data).to_bytes(8, "little") + data for data in map(str.encode, texts))


FORMAT = Format("GGUF", file=(known, read))
