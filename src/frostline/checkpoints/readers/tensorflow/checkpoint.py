"""Reads TensorFlow checkpoints: an index of names, types, shapes and places, and the data files beside it."""

from __future__ import annotations

import math

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.protobuf import BYTES, VARINT, Reader, signed
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.sources import Source, Span, Swapped
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.tensorflow import slices, sorted_table

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
MOST_FILES, MOST_AXES = 100_000, 64

TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    29: "int4",
    30: "uint4",
}
TEXT = 7


def known(file: File) -> bool:
    """Whether ``file`` is the index of a TensorFlow checkpoint, beside its data."""
    return file.alone and sorted_table.known(file)


def read(file: File) -> Checkpoint:
    """The tensors of the checkpoint whose index is ``file``, by the keys that they have in it."""
    checkpoint = Checkpoint(file.path, "tensorflow", files=[file])
    try:
        reader, data = Reader(file), _Data(checkpoint)
        for entry in sorted_table.entries(file):
            if entry.key:
                _add(checkpoint, data, reader, entry)
            else:
                data.take_header(reader, entry)
        slices.join(checkpoint, data.sliced)
    except BaseException:
        checkpoint.close()
        raise
    return checkpoint


class _Data:
    """The data files of a checkpoint, opened when they are first needed."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._index = checkpoint, checkpoint.files[0]
        self._files: dict[int, File] = {}
        self.count, self.big = 1, False
        self.sliced: dict[str, slices.Sliced] = {}

    def take_header(self, reader: Reader, entry: sorted_table.Entry) -> None:
        """How many files there are, and their byte order."""
        for field in reader.fields(entry.start, entry.stop):
            if field.number == 1:
                self.count = field.value
            elif field.number == 2:
                self.big = field.value == 1
        if not 0 < self.count <= MOST_FILES:
            raise self._index.bad(f"claims {self.count:,} data files")

    def span(self, number: int, offset: int, size: int, name: str) -> Span:
        """The bytes of a tensor; CheckpointError when its file does not hold them."""
        if not 0 <= number < self.count:
            raise self._index.bad(f"keeps {name!r} in data file {number:,} of {self.count:,}")
        if number not in self._files:
            stem = self._index.path.name.removesuffix(".index")
            beside = sibling(self._index, f"{stem}.data-{number:05d}-of-{self.count:05d}")
            self._files[number] = File(beside)
            self._checkpoint.files.append(self._files[number])
        file = self._files[number]
        if offset < 0 or size < 0 or offset + size > file.size:
            raise file.bad(f"ends before the bytes {offset:,} to {offset + size:,} of {name!r}")
        return Span(file, offset, size)


def _add(checkpoint: Checkpoint, data: _Data, reader: Reader, entry: sorted_table.Entry) -> None:
    """Take in one entry of the index: a BundleEntryProto."""
    name = entry.key.decode("utf-8", "backslashreplace")
    values = dict.fromkeys((1, 3, 4, 5), 0)  # type, data file, offset, size
    shape: tuple[int, ...] = ()
    extents: list[list[tuple[int, int]]] = []
    for field in reader.fields(entry.start, entry.stop):
        if field.number in values and field.wire == VARINT:
            values[field.number] = signed(field.value)
        elif field.number == 2 and field.wire == BYTES:
            shape = _shape(checkpoint, reader, name, field.start, field.stop)
        elif field.number == 7 and field.wire == BYTES:
            extents.append(slices.extents(reader, field))
    code, number, offset, size = values.values()
    if extents:
        data.sliced[name] = slices.Sliced(TYPES.get(code, f"tensorflow-type-{code}"), shape, extents)
    elif name == OBJECT_GRAPH:
        checkpoint.extras[name] = f"names of Python objects, {size:,} bytes"
    elif code == TEXT:
        source = data.span(number, offset, size, name)
        checkpoint.add(Tensor(name, "uint8", (size,), source, note="text and its lengths; compared as bytes"))
    elif code not in TYPES:
        checkpoint.add_unknown(name, f"tensorflow-type-{code}", shape, f"TensorFlow type {code} is not read")
    else:
        bits = dtypes.BITS[TYPES[code]]
        if size * 8 != math.prod(shape) * bits:
            raise checkpoint.bad(f"{name!r} is {TYPES[code]} {list(shape)}, which does not fill {size:,} bytes")
        source = data.span(number, offset, size, name)
        checkpoint.add(Tensor(name, TYPES[code], shape, _swapped(source, TYPES[code]) if data.big else source))


def _shape(checkpoint: Checkpoint, reader: Reader, name: str, start: int, stop: int) -> tuple[int, ...]:
    shape = []
    for axis in reader.fields(start, stop):
        if axis.number == 2 and axis.wire == BYTES:
            sizes = [signed(field.value) for field in reader.fields(axis.start, axis.stop) if field.number == 1]
            shape.append(sizes[-1] if sizes else 0)
    if len(shape) > MOST_AXES or any(not 0 <= extent < 2**62 for extent in shape) or math.prod(shape) > 2**62:
        raise checkpoint.bad(f"{name!r} has an absurd shape")
    return tuple(shape)


def _swapped(source: Source, dtype: str) -> Source:
    width = dtypes.BITS[dtype] // 8 // (2 if dtype.startswith("complex") else 1)
    return Swapped(source, width) if width > 1 else source


FORMAT = Format("TensorFlow checkpoints", file=(known, read), folder=("*.index",))
