"""What a script writes with torch's and safetensors' functions."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from frostline.core.facts import Fact, FilesAlike, FileWritten, SavedSettled, StateHidden
from frostline.core.names.name_matching import Shape
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.tensors import sharded_values
from frostline.frameworks.torch.tensors.saved_values import Content, Value, named_values, path_of
from frostline.frameworks.torch.tensors.shards import shard_of
from frostline.frameworks.torch.tensors.tensors import NamedTensor, dtype_name, local, why_unreadable
from frostline.frameworks.torch.writers import SafetensorsWatch, Writer, WritersWatch, arrays_watch
from frostline.observe.protocols import LiveTensor, Unreadable
from frostline.observe.saves import Saves
from frostline.observe.tensor_match import Written

_SAFETENSORS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool"}
_SAFETENSORS |= {f"{sign}{size}": f"{'u' * (sign == 'U')}int{size}" for sign in "UI" for size in (8, 16, 32, 64)}
_SAFETENSORS |= {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64"}
Address = tuple[int, int]  # where the data begin, and how many bytes they are


class Memory:
    """Bytes at an address of this process, or in an object, that are about to be written."""

    def __init__(self, place: int | bytes) -> None:
        self._place = place

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        if isinstance(self._place, int):
            return ctypes.string_at(self._place + start, stop - start)
        return self._place[start:stop]


class CheckpointWriting:
    """Turns the arguments of the functions that write into tensors with names, and knows which are live memory.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FilesAlike, FileWritten, SavedSettled, StateHidden)

    def __init__(self, context: Context) -> None:
        self._context, self._models, self._recorder = context, context.models, context.recorder
        self._saves = Saves(context.recorder, self._expected)
        self._taken: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}
        self._hidden: dict[str, dict[str, None]] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._finish)
        place, quietly = "before a file is written", self._context.quietly
        return [
            SafetensorsWatch(lambda *told: quietly(place, self._serialized, *told)).end,
            WritersWatch(lambda *told: quietly(place, self._saved, *told)).end,
            arrays_watch(self._wrote_array, quietly).end,
            put(nn.Module, "state_dict", dynamo_guard.observed(nn.Module.state_dict, self._state_dict)),
        ]

    def _state_dict(self, function: Any, args: Any, kwargs: Any) -> Any:
        state = function(*args, **kwargs)
        if len(args) == 1 and kwargs.get("destination") is None:
            self._context.quietly("a state was taken", self._took, state)
        return state

    def _finish(self) -> None:
        self._saves.settle()
        self._tell_hidden()

    def _took(self, state: Any) -> None:
        """The script asked a module for its state: remember when, for as long as it keeps the tensors."""
        for value in state.values() if isinstance(state, dict) else ():
            if isinstance(value, torch.Tensor):
                key = id(value)
                forget = weakref.ref(value, lambda _, key=key: self._taken.pop(key, None))  # type: ignore[misc]
                self._taken[key] = (forget, self._recorder.steps)

    def _taken_at(self, tensor: torch.Tensor) -> int | None:
        """The step at which the script took this very tensor out of a module, if it did."""
        reference, step = self._taken.get(id(tensor), (None, 0))
        return step if reference is not None and reference() is tensor else None

    def _saved(self, writer: Writer, args: Any, kwargs: Any) -> None:
        """One of the functions that write is about to do so."""
        value, target = writer.read(*args, **kwargs)
        found = list(named_values(value))
        if found:
            live = self._live()
            tensors = [self._written(live, *each, writer.together) for each in found]
            memory = [(name, place) for _, name, each in found if (place := _Memory.of(each)) is not None]
            path, by, own = path_of(target), writer.by, _own_place(writer, kwargs)
            self._saves.wrote(path, by, tensors, lambda: self._became(memory), writer.general, own)

    def _serialized(self, tensors: Any, target: Any) -> None:
        """safetensors is about to write arrays, told by their addresses or as bytes."""
        live = self._live()
        written = [_flat(live, name, spec) for name, spec in tensors.items()]
        if written:
            self._saves.wrote(path_of(target), "safetensors", written)

    def _wrote_array(self, path: str, by: str, name: str, value: Any) -> None:
        array = np.asarray(value, order="C")
        self._saves.holds(path, by, _at({}, array.tobytes(), array.nbytes, "", name, array.shape, array.dtype.name))

    def _expected(self, names: set[str]) -> set[Hashable]:
        """The tensors that a save of these models would hold now: parameters and persistent buffers."""
        keys: set[Hashable] = set()
        for model in self._models.models:
            root = model.root
            if model.name not in names or root is None:
                continue
            for each in modules.tensors_of(root):
                persists = each.name.rpartition(".")[2] not in each.module._non_persistent_buffers_set
                keys |= {entry.key for entry in self._models.all_of(each.tensor)} if persists else set()
            keys |= {entry.key for entry in model.tensors if not entry.row.registered and entry.tensor is not None}
            for _, tensor, _, where in modules.hidden_tensors(root):
                entry = self._models.of(tensor)
                if entry is not None and entry.row.model != model.name:
                    self._hidden.setdefault(f"{model.name}.{where}", {})[entry.row.name] = None
                    keys.add(entry.key)
        return keys

    def _tell_hidden(self) -> None:
        """Tell of modules in plain containers of a written model: ``state_dict()`` leaves out their tensors."""
        for where, names in self._hidden.items():
            self._recorder.tell(StateHidden(step=self._recorder.steps, place=where, tensors=tuple(names)))

    def _live(self) -> dict[Address, NamedTensor]:
        live: dict[Address, NamedTensor] = {}
        for entry in self._models.tensors:
            with contextlib.suppress(Unreadable):
                if entry.row.name and (address := _address(entry.memory)) is not None:
                    live.setdefault(address, entry)
        return live

    def _became(self, written: Sequence[tuple[str, _Memory]]) -> list[tuple[str, Hashable]]:
        """The tensors that live in memory which was written before they were known."""
        live = self._live()
        found = [(name, live.get(memory.address), memory) for name, memory in written if memory.is_alive()]
        return [(name, entry.key) for name, entry, memory in found if entry is not None and memory.fits(entry)]

    def _written(
        self, live: dict[Address, NamedTensor], section: str, name: str, value: Value, together: bool
    ) -> Written:
        if sharded_values.is_sharded(value):
            return sharded_values.written(value, section, name, together)
        if isinstance(value, np.ndarray):
            place = value.__array_interface__["data"][0] if value.flags.c_contiguous else value.tobytes()
            return _at(live, place, value.nbytes, section, name, value.shape, value.dtype.name)
        return self._of_tensor(live, section, name, value)

    def _of_tensor(self, live: dict[Address, NamedTensor], section: str, name: str, tensor: torch.Tensor) -> Written:
        address = _address(tensor)
        entry = live.get(address) if address is not None else None
        same = entry is not None and entry.row.dtype == dtype_name(tensor) and _fits(entry, tensor)
        part = entry.row.part if entry is not None and same else None
        return Written(
            name,
            section,
            tuple(tensor.shape),
            dtype_name(tensor),
            tensor.numel() * tensor.element_size(),
            Content(tensor),
            entry.key if entry is not None and same else None,
            self._taken_at(tensor),
            functools.partial(_module_of, tensor),
            functools.partial(_cut, tensor),
            part.place if part is not None else "",
        )


def _fits(entry: NamedTensor, tensor: torch.Tensor) -> bool:
    """Whether the memory that is written is the tensor's as a whole, or the part of it that this process holds."""
    shape, part = tuple(tensor.shape), entry.row.part
    return entry.row.shape == shape or (part is not None and part.values == tensor.numel())


def _cut(tensor: torch.Tensor, entry: LiveTensor) -> Written:
    """What is written of the part that this process holds of a sharded tensor."""
    shard = entry.shard if isinstance(entry, NamedTensor) else None
    with torch.no_grad():
        part = local(tensor) if shard_of(tensor) == shard else shard.of_whole(tensor) if shard is not None else None
    if part is None:
        raise Unreadable("which part of it this process holds cannot be told")
    size = part.numel() * part.element_size()
    return Written("", "", (part.numel(),), dtype_name(part), size, Content(part.contiguous()))


def _own_place(writer: Writer, arguments: Any) -> str:
    """This process among those that write together into one place."""
    group = torch.distributed
    alone = not writer.together or arguments.get("no_dist") or not (group.is_available() and group.is_initialized())
    return "" if alone else str(group.get_rank())


class _Memory:
    """The memory of a tensor that was written, while it lives."""

    def __init__(self, tensor: torch.Tensor, address: Address) -> None:
        self.address = address
        self._storage = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
        self._shape, self._dtype = tuple(tensor.shape), dtype_name(tensor)

    @classmethod
    def of(cls, value: Value) -> _Memory | None:
        address = _address(value) if isinstance(value, torch.Tensor) else None
        return cls(value, address) if address is not None else None  # type: ignore[arg-type]

    def is_alive(self) -> bool:
        return not self._storage.expired()  # type: ignore[no-untyped-call]

    def fits(self, entry: NamedTensor) -> bool:
        return entry.row.dtype == self._dtype and entry.row.shape == self._shape


def _flat(live: dict[Address, NamedTensor], name: str, spec: Any) -> Written:
    fields = spec if isinstance(spec, dict) else {key: getattr(spec, key) for key in ("dtype", "shape", "data_ptr")}
    shape, dtype = tuple(fields["shape"]), str(fields["dtype"])
    dtype = _SAFETENSORS.get(dtype, dtype)
    if isinstance(spec, dict) and "data" in spec:
        return _at(live, spec["data"], len(spec["data"]), "", name, shape, dtype)
    place, size = (spec["data_ptr"], spec["data_len"]) if isinstance(spec, dict) else (spec.data_ptr, spec.data_len)
    return _at(live, place, size, "", name, shape, dtype)


def _at(
    live: dict[Address, NamedTensor], place: int | bytes, size: int, section: str, name: str, shape: Shape, dtype: str
) -> Written:
    entry = live.get((place, size)) if isinstance(place, int) else None
    same = entry is not None and entry.row.dtype == dtype and entry.row.shape == shape
    return Written(name, section, shape, dtype, size, Memory(place), entry.key if entry is not None and same else None)


def _address(tensor: torch.Tensor) -> Address | None:
    """Where a dense tensor's data are, or None."""
    if (
        sharded_values.is_sharded(tensor)
        or why_unreadable(tensor)
        or tensor.layout != torch.strided
        or not tensor.numel()
    ):
        return None
    try:
        with torch.no_grad():
            held = local(tensor)
        return (held.data_ptr(), held.numel() * held.element_size()) if held.numel() else None
    except RuntimeError:  # a subclass that has no memory of its own
        return None


def _module_of(tensor: torch.Tensor) -> str | None:
    """The name of the model that holds this memory, though it is none that is observed."""
    address = _address(tensor)

    def holds(module: nn.Module) -> bool:
        held = module.__dict__.get("_parameters", {}).values()
        return any(_address(each) == address for each in held if each is not None)

    roots = modules.roots_of(module for module in modules.modules_alive() if holds(module))
    names = modules.names_of(roots)
    return next(iter(names.values()), None)
