"""What the records of numpy and jax in a pickle mean: arrays, scalars, and arrays of Python objects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.extras import mark
from frostline.checkpoints.pickle.descriptions import TooLong, described
from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs
from frostline.checkpoints.pickle.torch_tensors import Found, Other, Part, Plain, Unread, Unusable, bytes_of, counts

_NARROW = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
_ARRAY_CODES, _CHARACTERS = tuple("bBhHiIlLqQfd"), ("u", "w")
_MACHINE_FORMATS = ("u1", "i1", *(f"{order}{kind}{size}" for size in (2, 4, 8) for kind in "ui" for order in "<>"))
_MACHINE_FORMATS += ("<f4", ">f4", "<f8", ">f8")
_UNIT = re.compile(r"generic|Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as")


def _array(call: Call) -> list[Part]:
    if call.state is None:
        raise Unusable
    return _of_state(call.state)


def _of_state(state: Any) -> list[Part]:
    _version, shape, kind, fortran, data = state
    return _array_of(kind, shape, bool(fortran), data)


def _array_from_buffer(call: Call) -> list[Part]:
    data, kind, shape, order, *_axes = call.args
    return _array_of(kind, shape, order == "F", data)


def _jax_array(call: Call) -> list[Part]:
    """A jax array: numpy's function and arguments, numpy's state, and whether its type is a weak one."""
    _function, _args, state, *_weak = call.args
    return _of_state(state)


def _scalar(call: Call) -> list[Part]:
    return _array_of(call.args[0], (), False, call.args[1])


def _array_of(kind: Any, shape: Any, fortran: bool, data: Any) -> list[Part]:
    if isinstance(data, Items):
        return _objects(counts(shape), data.items)
    name, width, unit = element_type(kind)
    beside = beside_bytes(kind)
    if not width:
        return [("", Plain(name, counts(shape), b"")), *beside]
    array = np.frombuffer(bytes_of(data), f"V{width}").reshape(counts(shape), order="F" if fortran else "C")
    ordered = np.ascontiguousarray(array).tobytes()
    if unit > 1 and is_big(kind):
        ordered = np.frombuffer(ordered, "u1").reshape(-1, unit)[:, ::-1].tobytes()
    return [("", Plain(name, array.shape, ordered)), *beside]


def beside_bytes(kind: Any) -> list[Part]:
    """What a numpy type says that its name and bytes do not: the names and types of fields, and notes on it."""
    state = kind.state if isinstance(kind.state, tuple) else ()
    notes = state[8] if len(state) > 8 else None
    notes = notes[0] if isinstance(notes, tuple) else notes  # beside the unit of a time
    parts: list[Part] = [(".dtype", _fields(state[3:5]))] if any(each is not None for each in state[3:5]) else []
    return [*parts, (".dtype.metadata", notes)] if isinstance(notes, Pairs) and notes.pairs else parts


def _fields(names_and_types: Sequence[Any]) -> Found:
    text = _text(names_and_types)
    return Other(f"fields ({mark(text.data)})") if isinstance(text, Plain) else text


def element_type(kind: Any) -> tuple[str, int, int]:
    """Our name of a numpy type, the bytes of an element, and of the parts of it that the byte order turns round."""
    code, *_flags = kind.args
    if isinstance(code, Global) and code.module == "ml_dtypes" and code.name in _NARROW:
        width = (dtypes.bits(code.name) or 8) // 8
        return code.name, width, width
    if not isinstance(code, str):
        raise Unusable
    if code in ("M8", "m8"):
        return f"{'datetime' if code == 'M8' else 'timedelta'}64_{_unit(kind)}", 8, 8
    if re.fullmatch(r"[SUV]\d{1,9}", code):
        dtype = np.dtype(code)
        return dtypes.raw(dtype.itemsize), dtype.itemsize, 4 if code[0] == "U" else 1
    if not re.fullmatch(r"[biufc]\d{1,2}", code):
        raise Unusable
    dtype = np.dtype(code)
    return dtypes.from_numpy(dtype), dtype.itemsize, dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize


def _unit(kind: Any) -> str:
    metadata = (
        kind.state[-1][1] if isinstance(kind.state, tuple) and isinstance(kind.state[-1], tuple) else ("generic", 1)
    )
    unit = bytes_of(metadata[0]).decode("ascii")
    if not _UNIT.fullmatch(unit):
        raise Unusable
    return unit if metadata[1] == 1 else f"{int(metadata[1])}{unit}"


def is_big(kind: Any) -> bool:
    return isinstance(kind.state, tuple) and kind.state[1] == ">"


def _objects(shape: tuple[int, ...], items: list[Any]) -> list[Part]:
    """The parts of an array of Python objects: its numbers as one tensor, what else it holds by position.

    numpy lists the objects in C order, also where the array is in Fortran order.

    >>> _objects((2,), [1.5, 2.5])[0][1].dtype
    'float64'
    """
    if math.prod(shape) != len(items):
        raise Unusable
    if not items:
        return [("", Plain("text", shape, b""))]
    values = numbers_in(shape, items)
    if values is not None:
        return [("", values)]
    if not shape:
        return [("", items[0])]
    plain = [item for item in items if isinstance(item, int | float | str) or item is None]
    parts: list[Part] = [
        (f".{index}", item)
        for index, item in enumerate(items)
        if not (isinstance(item, int | float | str) or item is None)
    ]
    return [*parts, *([("", _text(plain))] if plain else [])]


def numbers_in(shape: tuple[int, ...], items: list[Any]) -> Plain | None:
    """Plain numbers of one type as a tensor; None where they are not all of one, or too large."""
    for kind, dtype in ((bool, "?"), (float, "<f8"), (int, "<i8")):
        if all(type(item) is kind for item in items):
            if kind is int and not all(-(2**63) <= item < 2**63 for item in items):
                return None
            return Plain(dtypes.from_numpy(np.dtype(dtype)), shape, np.array(items, dtype).tobytes())
    return None


def _text(values: Sequence[Any]) -> Found:
    try:
        text = described(tuple(values))
    except TooLong:
        return Unread("an array of Python values, too long to be compared")
    return Plain("text", (len(text),), text)


def _array_module(call: Call) -> list[Part]:
    """An array of the module ``array``: its numbers as a list in protocols 0 to 2, as machine values in later ones."""
    if str(call.function) == "array.array":
        code, values = call.args
        if code in _CHARACTERS:
            return [("", Unread("an array of characters"))]
        if code not in _ARRAY_CODES or not all(type(item) in (int, float) for item in values.items):
            raise Unusable
        array = np.array(values.items, np.dtype(code))
    else:
        _kind, code, machine_format, data = call.args
        if code in _CHARACTERS:
            return [("", Unread("an array of characters"))]
        array = np.frombuffer(bytes_of(data), _MACHINE_FORMATS[machine_format])
    little = array.dtype.newbyteorder("<")
    return [("", Plain(dtypes.from_numpy(little), array.shape, array.astype(little).tobytes()))]


READERS: dict[str, Callable[[Call], list[Part]]] = {
    "array.array": _array_module,
    "array._array_reconstructor": _array_module,
    "numpy._core.multiarray._reconstruct": _array,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy._core.numeric._frombuffer": _array_from_buffer,
    "numpy.core.numeric._frombuffer": _array_from_buffer,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray.scalar": _scalar,
    "jax._src.array._reconstruct_array": _jax_array,
}
