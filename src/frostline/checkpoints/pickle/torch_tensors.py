"""What torch's own rebuilding functions mean, read from their recorded arguments: views, quantised, sparse, none."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from frostline.checkpoints.extras import mark
from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs, Persistent

LONGEST_TEXT = 60

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "uint8",
}
PACKED = {"float4_e2m1fn_x2": ("float4_e2m1fn", 2)}


class Unusable(Exception):
    """The arguments of a tensor are not what torch writes."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage as the pickle refers to it: its key in the file, the type and number of its elements."""

    key: str
    dtype: str
    size: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A tensor as torch describes it: elements of a storage from ``offset``, by ``shape`` and ``stride``."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    note: str = ""
    pending: tuple[str, ...] = ()  # of "conj" and "neg": what torch still does to the bytes before it shows them


@dataclass(frozen=True, slots=True)
class Plain:
    """Numbers that stand in the pickle itself."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class InStream:
    """Numbers behind an instruction of the pickle, in its own file: elements of ``width`` bytes from ``offset``.

    ``unit`` is how many bytes a byte order that is ``big`` turns round.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    width: int
    fortran: bool
    big: bool
    unit: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A tensor that is named without bytes."""

    dtype: str
    shape: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Other:
    """A value that is no tensor, as text."""

    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that may hold numbers and is not understood here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A storage that says where parts of a tensor lie, and holds none of its numbers."""

    storage: Storage


FOUND = (View, Plain, InStream, Absent, Other, Unread, Aside)
Found = View | Plain | InStream | Absent | Other | Unread | Aside
Part = tuple[str, Any]  # a suffix to the name, and a Found or a record of the pickle


def text_of(value: Any) -> str:
    """A plain value in a few characters, which differ where two values do: what they leave out they have a mark of.

    >>> text_of("a" * 100)[:8], text_of(3), text_of(b"abc")[:9]
    ("'aaaaaaa", '3', '3 bytes (')
    """
    if isinstance(value, bytes):
        return f"{len(value):,} bytes ({mark(value)})"
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length():,} bits ({mark(hex(value))})"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT] + '…'!r} ({mark(value)})"
    if isinstance(value, float) and value != value:
        return f"nan ({struct.pack('>d', value).hex()})"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    return f"not a tensor: names {value}" if isinstance(value, Global) else "not a tensor"


def storage_view(reference: Any) -> View:
    """All of a storage, as a tensor with one axis."""
    storage = _storage(reference)
    return View(storage, storage.dtype, storage.offset, (storage.size,), (1,))


def _storage(reference: Any) -> Storage:
    if not (isinstance(reference, Persistent) and isinstance(reference.id, tuple) and len(reference.id) >= 5):
        raise Unusable
    tag, kind, key, _location, values, *view = reference.id
    if tag != "storage" or not isinstance(kind, Global) or kind.name not in STORAGES:
        raise Unusable
    if not isinstance(key, str) or not _is_count(values):
        raise Unusable
    offset = 0
    if view and view[0] is not None:  # (key, offset, size) of a storage inside another one, before torch 0.4
        _, offset, size = view[0]
        if not (_is_count(offset) and _is_count(size)):
            raise Unusable
    return Storage(key, STORAGES[kind.name], values, offset)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**62


def counts(value: Any) -> tuple[int, ...]:
    if isinstance(value, Call) and str(value.function) == "torch.Size" and value.args:
        value = value.args[0]
    if isinstance(value, Items):
        value = tuple(value.items)
    if not isinstance(value, tuple) or not all(_is_count(number) for number in value):
        raise Unusable
    return value


def _element_type(value: Any) -> str:
    if not isinstance(value, Global) or value.module != "torch":
        raise Unusable
    return value.name


def _view(call: Call) -> list[Part]:
    storage, offset, shape, stride, *rest = call.args
    held = _storage(storage)
    dtype = held.dtype
    metadata = rest[2] if len(rest) > 2 else None
    if str(call.function).endswith("_v3"):
        dtype, metadata = _element_type(rest[2]), rest[3] if len(rest) > 3 else None
    return [("", _checked_view(held, dtype, offset, shape, stride, pending=_bits_pending(metadata)))]


def _checked_view(
    held: Storage, dtype: str, offset: Any, shape: Any, stride: Any, note: str = "", pending: tuple[str, ...] = ()
) -> View:
    extents, steps = counts(shape), counts(stride)
    if not _is_count(offset) or len(extents) != len(steps) or len(extents) > 64:
        raise Unusable
    if dtype in PACKED:
        if not extents or steps[-1] != 1:
            raise Unusable
        dtype, times = PACKED[dtype]
        note = note or f"{times} numbers in a byte"
        extents = (*extents[:-1], extents[-1] * times)
    return View(held, dtype, offset + held.offset, extents, steps, note, pending)


def _bits_pending(metadata: Any) -> tuple[str, ...]:
    pairs = metadata.pairs if isinstance(metadata, Pairs) else []
    return tuple(key for key, value in pairs if isinstance(key, str) and key in ("conj", "neg") and value is True)


def asks_for_gradients(call: Call) -> bool:
    """Whether torch would make a tensor of this with ``requires_grad`` set."""
    place = _REQUIRES_GRAD.get(str(call.function))
    return place is not None and isinstance(call.args, tuple) and call.args[place : place + 1] == (True,)


def wrapped(call: Call) -> list[Part]:
    data, _requires_grad, _hooks, *state = call.args
    return [("", data), *attributes(state)]


def attributes(state: list[Any]) -> list[Part]:
    """What was set on a tensor object besides its numbers: one dict, or one and another of its slots."""
    found: list[Part] = []
    for members in state:
        if isinstance(members, Pairs):
            found += [(f".{key}", value) for key, value in members.pairs if isinstance(key, str)]
        elif isinstance(members, tuple):
            found += attributes(list(members))
        elif members is not None:
            found.append((".state", members))
    return found


def _meta(call: Call) -> list[Part]:
    dtype, shape = _element_type(call.args[0]), counts(call.args[1])
    return [("", Absent(dtype, shape, "a tensor on the meta device has no bytes"))]


def _quantised(call: Call) -> list[Part]:
    storage, offset, shape, stride, parameters, *_rest = call.args
    held = _storage(storage)
    view = _checked_view(held, held.dtype, offset, shape, stride, "quantised; its scale and zero point stand beside it")
    scheme, scale, zero, *_axis = parameters
    if not isinstance(scheme, Global):
        raise Unusable
    if isinstance(scale, Call) and isinstance(zero, Call):
        return [("", view), (".scale", scale), (".zero_point", zero)]
    values = (("scale", np.float64(float(scale))), ("zero_point", np.int64(int(zero))))
    return [("", view), *((f".{name}", Plain(str(n.dtype), (), n.tobytes())) for name, n in values)]


_REQUIRES_GRAD = {  # the place of the flag among the arguments
    "torch._utils._rebuild_tensor_v2": 4,
    "torch._utils._rebuild_tensor_v3": 4,
    "torch._utils._rebuild_parameter": 1,
    "torch._utils._rebuild_parameter_with_state": 1,
}
_SPARSE = {
    "torch.sparse_coo": ("indices", "values"),
    "torch.sparse_csr": ("crow_indices", "col_indices", "values"),
    "torch.sparse_bsr": ("crow_indices", "col_indices", "values"),
    "torch.sparse_csc": ("ccol_indices", "row_indices", "values"),
    "torch.sparse_bsc": ("ccol_indices", "row_indices", "values"),
}


def _sparse(call: Call) -> list[Part]:
    layout, data = call.args
    name = layout.args[0] if isinstance(layout, Call) else None
    if not isinstance(name, str) or name not in _SPARSE:
        raise Unusable
    members = _SPARSE[name]
    shape = np.array(counts(data[len(members)]), "<i8")
    size = Plain("int64", shape.shape, shape.tobytes())
    return [*_members(members, data), (".size", size)]


def _nested(call: Call) -> list[Part]:
    return _members(("values", "sizes", "strides", "offsets"), call.args)


def _members(names: Iterable[str], values: tuple[Any, ...]) -> list[Part]:
    parts: list[Part] = []
    for name, value in zip(names, values, strict=False):
        if not isinstance(value, Call):
            raise Unusable
        parts.append((f".{name}", value))
    return parts


def bytes_of(data: Any) -> bytes:
    while isinstance(data, Call) and READERS.get(str(data.function)) is _text_as_bytes:
        data = data.args[0] if data.args else b""
    return data.encode("latin-1") if isinstance(data, str) else bytes(memoryview(data))


def _text_as_bytes(call: Call) -> list[Part]:
    return [("", bytes_of(call))]


READERS: dict[str, Callable[[Call], list[Part]]] = {
    "_codecs.encode": _text_as_bytes,
    "builtins.bytearray": _text_as_bytes,
    "__builtin__.bytearray": _text_as_bytes,
    "torch._utils._rebuild_tensor": _view,
    "torch._utils._rebuild_tensor_v2": _view,
    "torch._utils._rebuild_tensor_v3": _view,
    "torch._utils._rebuild_parameter": wrapped,
    "torch._utils._rebuild_parameter_with_state": wrapped,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_qtensor": _quantised,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_sparse_csr_tensor": _sparse,
    "torch._utils._rebuild_nested_tensor": _nested,
}
