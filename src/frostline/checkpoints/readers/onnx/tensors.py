"""The tensors of an ONNX model: in the file as raw bytes or as lists of numbers, or in a file beside it."""

from __future__ import annotations

import math

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.protobuf import BYTES, FIXED32, FIXED64, Field, Reader, signed
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.sources import Held, Source, Span

# numbers of the fields in onnx.proto
DIMS, TYPE, FLOATS, INT32S, STRINGS, INT64S, NAME, RAW, DOUBLES, UINT64S, EXTERNAL, LOCATION = (
    1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14
)  # fmt: skip
LISTS = (FLOATS, INT32S, INT64S, DOUBLES, UINT64S)
LONGEST_LIST = 2**28
MOST_AXES = 64

TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4_packed",
    22: "int4_packed",
    23: "float4_e2m1fn",
    24: "float8_e8m0fnu",
    25: "uint2_packed",
    26: "int2_packed",
}
TEXT = 8


class Tensors:
    """Adds the tensors of one model to a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, reader: Reader) -> None:
        self._checkpoint, self._reader, self._file = checkpoint, reader, checkpoint.files[0]
        self._beside: dict[str, File] = {}

    def add(self, message: Field, prefix: str, name: str = "") -> None:
        """Take in one TensorProto, under ``name`` or its own."""
        fields = self._fields(message)
        name = name or prefix + next((self._reader.text(field) for field in fields if field.number == NAME), "")
        name = self._checkpoint.free_name(name or "tensor")
        shape = self._counts(fields, DIMS, name)
        code = next((field.value for field in fields if field.number == TYPE), 0)
        if code == TEXT:
            self._checkpoint.add_unread(name, "an array of texts")
            return
        dtype = TYPES.get(code)
        if dtype is None:
            self._checkpoint.add_unknown(name, f"onnx-type-{code}", shape, f"ONNX type {code} is not known here")
            return
        if any(field.number == LOCATION and field.value == 1 for field in fields):
            self._add_external(name, dtype, shape, fields)
            return
        self._checkpoint.add(Tensor(name, dtype, shape, self._source(fields, dtype, shape, name)))

    def add_sparse(self, message: Field, prefix: str, name: str = "") -> None:
        """Take in a SparseTensorProto: its values and their places, and its shape."""
        fields = self._fields(message)
        values = next((field for field in fields if field.number == 1), None)
        own = "" if values is None else "".join(self._reader.text(f) for f in self._fields(values) if f.number == NAME)
        name = name or prefix + own or "sparse"
        for field in fields:
            if field.number in (1, 2):
                self.add(field, "", f"{name}.{'values' if field.number == 1 else 'indices'}")
        shape = np.array(self._counts(fields, 3, name), "<i8")
        size = self._checkpoint.free_name(f"{name}.size")
        self._checkpoint.add(Tensor(size, "int64", shape.shape, Held(shape.tobytes())))

    def add_numbers(self, fields: list[Field], name: str, of_integers: bool) -> None:
        """Take in numbers that an attribute of a node has."""
        name = self._checkpoint.free_name(name)
        if of_integers:
            values = [signed(number) for field in fields for number in self._reader.size(field)]
            self._checkpoint.add(Tensor(name, "int64", (len(values),), Held(np.array(values, "<i8").tobytes())))
            return
        data = self._joined(fields, name)
        self._checkpoint.add(Tensor(name, "float32", (len(data) // 4,), Held(data)))

    def _source(self, fields: list[Field], dtype: str, shape: tuple[int, ...], name: str) -> Source:
        """Where the numbers of a tensor are: raw, or in the list that its type has."""
        given = {field.number for field in fields if field.number in (RAW, *LISTS)}
        if len(given) > 1:
            raise self._file.bad(f"gives the numbers of {name!r} twice")
        chosen = [field for field in fields if field.number in given]
        if not chosen:
            return Held(b"")
        if len(chosen) == 1 and given <= {RAW, FLOATS, DOUBLES}:
            return Span(self._file, chosen[0].start, chosen[0].stop - chosen[0].start)
        if given <= {RAW, FLOATS, DOUBLES}:
            return Held(self._joined(chosen, name))
        return Held(self._decoded(chosen, dtype, name))

    def _joined(self, fields: list[Field], name: str) -> bytes:
        if any(field.wire not in (BYTES, FIXED32, FIXED64) for field in fields):
            raise self._file.bad(f"gives the numbers of {name!r} in a wrong form")
        self._refuse_long(fields, name)
        return b"".join(self._file.read(field.start, field.stop - field.start) for field in fields)

    def _decoded(self, fields: list[Field], dtype: str, name: str) -> bytes:
        """Numbers that are stored as varints, whatever their type: also the bits of narrow floats."""
        self._refuse_long(fields, name)
        packed = [self._reader.packed(field) for field in fields if field.wire == BYTES]
        single = np.array([signed(field.value) for field in fields if field.wire != BYTES], np.int64)
        bits = dtypes.bits(dtype) or 8
        words = np.concatenate([*packed, single]).astype(f"<u{max(8, bits) // 8}" if bits <= 64 else "<u8")
        return words.tobytes()

    def _refuse_long(self, fields: list[Field], name: str) -> None:
        if sum(field.stop - field.start for field in fields) > LONGEST_LIST:
            raise self._file.bad(f"gives the numbers of {name!r} as a list that is too long", "save them as raw_data")

    def _add_external(self, name: str, dtype: str, shape: tuple[int, ...], fields: list[Field]) -> None:
        if not self._file.alone:
            self._checkpoint.add_unknown(name, dtype, shape, "its bytes are in another file, and this one is packed")
            return
        table = {}
        for field in fields:
            if field.number == EXTERNAL:
                pair = [self._reader.text(each) for each in self._fields(field)]
                table[pair[0]] = pair[1] if len(pair) == 2 else ""
        try:
            where, offset = table["location"], int(table.get("offset", "0"))
            length = int(table.get("length", (math.prod(shape) * (dtypes.bits(dtype) or 8) + 7) // 8))
        except (KeyError, ValueError):
            raise self._file.bad(f"does not say where the bytes of {name!r} are") from None
        if where not in self._beside:
            self._beside[where] = File(sibling(self._file, where))
            self._checkpoint.files.append(self._beside[where])
        beside = self._beside[where]
        if offset < 0 or length < 0 or offset + length > beside.size:
            raise beside.bad(f"ends before the bytes {offset:,} to {offset + length:,} of {name!r}")
        self._checkpoint.add(Tensor(name, dtype, shape, Span(beside, offset, length)))

    def _counts(self, fields: list[Field], number: int, name: str) -> tuple[int, ...]:
        counts = tuple(
            signed(count) for field in fields if field.number == number for count in self._reader.size(field)
        )
        if len(counts) > MOST_AXES or any(not 0 <= count < 2**62 for count in counts) or math.prod(counts) > 2**62:
            raise self._file.bad(f"{name!r} has an absurd shape")
        return counts

    def _fields(self, message: Field) -> list[Field]:
        if message.wire != BYTES:
            raise self._file.bad(f"its field {message.number} is no message")
        return list(self._reader.fields(message.start, message.stop))
