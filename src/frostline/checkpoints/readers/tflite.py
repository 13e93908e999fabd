"""Reads TensorFlow Lite models (.tflite): the constants of their graphs, with the numbers that quantise them."""

from __future__ import annotations

import struct
from collections import Counter

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Format

MAGIC = b"TFL3"
MOST_VALUES = 5_000_000
LONGEST_NAME = 2**12
MOST_AXES = 64

# places of the members in the tables of the schema
SUBGRAPHS, BUFFERS, METADATA = 2, 4, 6
TENSORS = 0
SHAPE, TYPE, BUFFER, NAME, QUANTISATION, SPARSITY = 0, 1, 2, 3, 4, 6
SCALE, ZERO_POINT = 2, 3
DATA, OFFSET, SIZE = 0, 1, 2
METADATA_NAME, METADATA_BUFFER = 0, 1

TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    8: "complex64",
    9: "int8",
    10: "float64",
    11: "complex128",
    12: "uint64",
    15: "uint32",
    16: "uint16",
    17: "int4_packed",
    18: "bfloat16",
    19: "int2_packed",
    20: "uint4_packed",
}


def known(file: File) -> bool:
    """Whether ``file`` is a TensorFlow Lite model."""
    return file.head[4:8] == MAGIC


def read(file: File) -> Checkpoint:
    """The constants of the model in ``file``, none of them read yet."""
    return _Model(file).checkpoint


class _Model:
    """One model and the checkpoint that is made of it."""

    def __init__(self, file: File) -> None:
        self.checkpoint = Checkpoint(file.path, "tflite", files=[file], uncompared=["the graph"])
        self._file, self._buffer = file, _Flat(file)
        root = self._buffer.table(self._buffer.offset(0))
        self._spans = [self._span(self._buffer.table(at)) for at in root.tables(BUFFERS)]
        self._used: Counter[int] = Counter()
        graphs = root.tables(SUBGRAPHS)
        for number, graph in enumerate(graphs):
            prefix = f"graph{number}/" if len(graphs) > 1 else ""
            for at in self._buffer.table(graph).tables(TENSORS):
                self._add(prefix, self._buffer.table(at))
        for at in root.tables(METADATA):
            record = self._buffer.table(at)
            self._add_bytes(f"metadata/{record.text(METADATA_NAME)}", record.number(METADATA_BUFFER, "I"))
        for number, span in enumerate(self._spans):
            if span.nbytes and not self._used[number]:
                self._add_bytes(f"buffer {number}", number)

    def _span(self, record: _Table) -> Span:
        """The bytes of a buffer: a vector in the record, or a place in the file where models are larger than 2 GiB."""
        start, count = record.vector(DATA)
        if not count:
            start, count = record.number(OFFSET, "Q"), record.number(SIZE, "Q")
            start, count = (start, count) if start > 1 else (0, 0)
        if start + count > self._file.size:
            raise self._file.bad("ends inside a buffer")
        return Span(self._file, start, count)

    def _add(self, prefix: str, record: _Table) -> None:
        number = record.number(BUFFER, "I")
        if number >= len(self._spans):
            raise self._file.bad(f"refers to buffer {number:,} of {len(self._spans):,}")
        source = self._spans[number]
        self._used[number] += 1
        name = self.checkpoint.free_name(prefix + record.text(NAME))
        if source.nbytes:  # else it is computed when the model runs
            self._add_constant(name, source, record)
        self._add_quantisation(name, record)

    def _add_constant(self, name: str, source: Span, record: _Table) -> None:
        shape = tuple(record.size(SHAPE, "i"))
        code = record.number(TYPE, "b")
        if len(shape) > MOST_AXES or any(extent < 0 for extent in shape):
            raise self._file.bad(f"{name!r} has an absurd shape")
        dtype = TYPES.get(code, "")
        if record.has(SPARSITY) or not dtype:
            what = "sparse" if record.has(SPARSITY) else f"of TensorFlow Lite's type {code}"
            note = f"{what}; its buffer is compared as bytes"
            self.checkpoint.add(Tensor(name, "uint8", (source.nbytes,), source, note=note))
        else:
            note = "quantised; its scale and zero point stand beside it" if self._quantised(record) else ""
            note = note if dtypes.BITS[dtype] <= 16 else ""
            self.checkpoint.add(Tensor(name, dtype, shape, source, note=note))

    def _quantised(self, record: _Table) -> bool:
        at = record.member(QUANTISATION)
        return bool(at and self._buffer.table(self._buffer.offset(at)).vector(SCALE)[1])

    def _add_quantisation(self, name: str, record: _Table) -> None:
        at = record.member(QUANTISATION)
        if not at:
            return
        members = self._buffer.table(self._buffer.offset(at))
        for place, what, dtype, width in ((SCALE, "scale", "float32", 4), (ZERO_POINT, "zero_point", "int64", 8)):
            start, count = members.vector(place)
            if start + count * width > self._file.size:
                raise self._file.bad(f"ends inside the {what} of {name!r}")
            if count:
                free = self.checkpoint.free_name(f"{name}.{what}")
                self.checkpoint.add(Tensor(free, dtype, (count,), Span(self._file, start, count * width)))

    def _add_bytes(self, name: str, number: int) -> None:
        if number >= len(self._spans):
            raise self._file.bad(f"refers to buffer {number:,} of {len(self._spans):,}")
        self._used[number] += 1
        source = self._spans[number]
        name = self.checkpoint.free_name(name)
        self.checkpoint.add(Tensor(name, "uint8", (source.nbytes,), source, note="no tensor; compared as bytes"))


class _Flat:
    """A flat buffer, of which no more than ``MOST_VALUES`` values are read, however often its tables are shared."""

    def __init__(self, file: File) -> None:
        self.file, self._left = file, MOST_VALUES
        self._block, self._start = b"", 0

    def charge(self, count: int) -> None:
        """Count ``count`` values as read."""
        self._left -= count
        if self._left < 0:
            raise self.file.bad(f"holds more than {MOST_VALUES:,} values in its tables")

    def unpack(self, code: str, at: int, count: int = 1) -> tuple[int, ...]:
        """``count`` little-endian numbers from byte ``at``."""
        self.charge(count)
        size = struct.calcsize("<" + code) * count
        if not self._start <= at <= at + size <= self._start + len(self._block):
            self._start, self._block = at, self.file.read(at, max(size, min(2**16, self.file.size - at)))
        return struct.unpack_from(f"<{count}{code}", self._block, at - self._start)

    def offset(self, at: int) -> int:
        """Where the offset in byte ``at`` leads: forward, as all of them do."""
        return at + self.unpack("I", at)[0]

    def table(self, at: int) -> _Table:
        return _Table(self, at)


class _Table:
    """One table of a flat buffer: members by their place in the schema."""

    def __init__(self, buffer: _Flat, at: int) -> None:
        self._buffer, self._at = buffer, at
        places = at - buffer.unpack("i", at)[0]
        size = buffer.unpack("H", places)[0]
        count = max(0, min(size, 256) - 4) // 2
        self._places = buffer.unpack("H", places + 4, count) if count else ()

    def member(self, place: int) -> int:
        """Where a member is; 0 where the table has none."""
        offset = self._places[place] if place < len(self._places) else 0
        return self._at + offset if offset else 0

    def has(self, place: int) -> bool:
        return bool(self.member(place))

    def number(self, place: int, code: str) -> int:
        at = self.member(place)
        return self._buffer.unpack(code, at)[0] if at else 0

    def vector(self, place: int) -> tuple[int, int]:
        """Where the elements of a vector begin, and how many there are."""
        at = self.member(place)
        if not at:
            return 0, 0
        start = self._buffer.offset(at)
        return start + 4, self._buffer.unpack("I", start)[0]

    def size(self, place: int, code: str) -> tuple[int, ...]:
        start, count = self.vector(place)
        return self._buffer.unpack(code, start, count) if count else ()

    def tables(self, place: int) -> list[int]:
        """Where the tables of a vector are."""
        start, count = self.vector(place)
        offsets = self._buffer.unpack("I", start, count) if count else ()
        return [start + 4 * index + offset for index, offset in enumerate(offsets)]

    def text(self, place: int) -> str:
        start, count = self.vector(place)
        if count > LONGEST_NAME:
            raise self._buffer.file.bad(f"holds a name of {count:,} bytes")
        self._buffer.charge(count // 16)
        try:
            return self._buffer.file.read(start, count).decode()
        except UnicodeDecodeError:
            raise self._buffer.file.bad("holds a name that is not UTF-8") from None


FORMAT = Format("TensorFlow Lite", file=(known, read))
