"""Tensor subclasses in a pickle of torch: the plain tensors inside them, and as a text what else gives their values."""

from __future__ import annotations

from typing import Any

from frostline.checkpoints.pickle.descriptions import TooLong, described
from frostline.checkpoints.pickle.records import Call, Global, Items, Persistent
from frostline.checkpoints.pickle.torch_tensors import (
    READERS,
    Aside,
    Part,
    Plain,
    Storage,
    Unread,
    Unusable,
    attributes,
    counts,
    storage_view,
    wrapped,
)

_WRAPPER = "torch._utils._rebuild_wrapper_subclass"
_LOCAL = "_local_tensor"


def from_type(call: Call) -> list[Part]:
    """What ``torch.Tensor.__reduce_ex__`` writes of a subclass, or of a tensor that has attributes."""
    function, kind, args, *state = call.args
    if not isinstance(function, Global):
        raise Unusable
    inner = Call(function, args)
    members = attributes(state)
    if str(function) in READERS:
        return [("", inner), *members]
    if str(function) != _WRAPPER:
        return [("", inner), *members, _rest(kind, args, state)]
    local = dict(members).get(f".{_LOCAL}")
    if str(kind).rpartition(".")[2] == "DTensor" and local is not None:
        return _sharded(args, local, dict(members).get("._spec"))
    return [*members, _rest(kind, args[:4], state)]


def _sharded(args: Any, local: Any, spec: Any) -> list[Part]:
    """A DTensor: its local tensor, and where that is a part, which part."""
    size = args[2]
    placements = _state(spec).get("placements")
    mesh = _state(_state(spec).get("mesh"))
    ranks = [(".mesh", Aside(storage)) for storage in _rank_storages(mesh.get("_rank_map"))]
    kinds = [str(each.function).rpartition(".")[2] for each in _sequence(placements) if isinstance(each, Call)]
    if kinds and set(kinds) <= {"Replicate", "Shard", "_StridedShard"} and _shape(local) == counts(size):
        return [("", local), *ranks]
    where = (placements, size, mesh.get("_coordinate_on_dim"), mesh.get("_rank"))
    return [("", local), (".placement", _text(where)), *ranks]


def _rank_storages(record: Any, depth: int = 0) -> list[Storage]:
    """The storage of the tensor of ranks in a device mesh; of integers, so that no weights pass for it."""
    if isinstance(record, Persistent):
        storage = storage_view(record).storage
        return [storage] if storage.dtype in ("int32", "int64") else []
    if depth > 4 or not isinstance(record, Call | tuple):
        return []
    first = (record.args or ()) if isinstance(record, Call) else record
    return [found for each in first[:3] for found in _rank_storages(each, depth + 1)]


def _shape(tensor: Any) -> tuple[int, ...] | None:
    """The shape of a plain tensor's record; None where it is no plain one."""
    while isinstance(tensor, Call) and str(tensor.function) != "torch._utils._rebuild_tensor_v2":
        parts = wrapped(tensor) if "_rebuild_parameter" in str(tensor.function) else []
        if not parts and "_rebuild_from_type" in str(tensor.function):
            parts = from_type(tensor)
        tensor = parts[0][1] if parts else None
    return counts(tensor.args[2]) if isinstance(tensor, Call) else None


def _rest(kind: Any, args: Any, state: list[Any]) -> Part:
    """All plain values of a subclass in one text: scales, block sizes, layouts."""
    return ".attributes", _text((kind, args, tuple(state)))


def _text(value: Any) -> Plain | Unread:
    try:
        text = described(value)
    except TooLong:
        return Unread("attributes of a tensor subclass, too many to be compared")
    return Plain("text", (len(text),), text)


def _state(record: Any) -> dict[str, Any]:
    """The attributes of an object's record, those of slots too."""
    members = record.state if isinstance(record, Call) else None
    return {suffix[1:]: value for suffix, value in attributes([members])}


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, Items):
        return value.items
    return list(value) if isinstance(value, tuple) else []
