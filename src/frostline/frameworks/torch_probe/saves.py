"""What a script writes with torch's and safetensors' functions."""

from __future__ import annotations

import ctypes
import functools
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from frostline.core.facts import StateHidden
from frostline.core.naming import Shape
from frostline.frameworks.patching import put
from frostline.frameworks.torch_probe import discover, entries
from frostline.frameworks.torch_probe.leaf import TorchLeaf, dtype_name, host_part, why_unreadable
from frostline.frameworks.torch_probe.models import Models
from frostline.frameworks.torch_probe.writers import SafetensorsWatch, Writer, WritersWatch, path_of
from frostline.observe.observer import Observer
from frostline.observe.saves import Saves
from frostline.observe.written import Written

_DEPTH = 6
_ITEMS = 1 << 17
_SAFETENSORS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool"}
_SAFETENSORS |= {f"{sign}{size}": f"{'u' * (sign == 'U')}int{size}" for sign in "UI" for size in (8, 16, 32, 64)}
_SAFETENSORS |= {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64"}
Value = torch.Tensor | np.ndarray
Address = tuple[int, int]  # where the data begin, and how many bytes they are


class Content:
    """A tensor about to be written; it lives as long as the call that writes it."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        return host_part(self._tensor, start, stop)


class Memory:
    """Bytes at an address of this process, or in an object, that are about to be written."""

    def __init__(self, place: int | bytes) -> None:
        self._place = place

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        if isinstance(self._place, int):
            return ctypes.string_at(self._place + start, stop - start)
        return self._place[start:stop]


class TorchSaves:
    """Turns the arguments of the functions that write into tensors with names, and knows which are live memory.

    Args:
        models: the models under observation.
        observer: knows the leaves.
    """

    def __init__(self, models: Models, observer: Observer) -> None:
        self.models = models
        self.observer = observer
        self.saves = Saves(observer, self.expected)
        self.settle = self.saves.settle
        self._taken: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}
        self._hidden: dict[str, dict[str, None]] = {}

    def attach(self, quietly: Callable[[str, Callable[[], Any]], None]) -> list[Callable[[], None]]:
        """Observe what is written and taken from now on; returns what ends it.

        Args:
            quietly: does our part of a wrapped call, after its place in words.
        """

        def state_dict(function: Any, args: Any, kwargs: Any) -> Any:
            state = function(*args, **kwargs)
            if len(args) == 1 and kwargs.get("destination") is None:
                quietly("a state was taken", lambda: self.took(state))
            return state

        place = "before a file is written"
        return [
            SafetensorsWatch(lambda *told: quietly(place, lambda: self.serialized(*told))).end,
            WritersWatch(lambda *told: quietly(place, lambda: self.saved(*told))).end,
            put(nn.Module, "state_dict", entries.observed(nn.Module.state_dict, state_dict)),
        ]

    def took(self, state: Any) -> None:
        """The script asked a module for its state: remember when, for as long as it keeps the tensors."""
        for value in state.values() if isinstance(state, dict) else ():
            if isinstance(value, torch.Tensor):
                key = id(value)
                forget = weakref.ref(value, lambda _, key=key: self._taken.pop(key, None))  # type: ignore[misc]
                self._taken[key] = (forget, self.observer.steps)

    def taken_at(self, tensor: torch.Tensor) -> int | None:
        """The step at which the script took this very tensor out of a module, if it did."""
        reference, step = self._taken.get(id(tensor), (None, 0))
        return step if reference is not None and reference() is tensor else None

    def saved(self, writer: Writer, args: Any, kwargs: Any) -> None:
        """One of the functions that write is about to do so."""
        value, target = writer.read(*args, **kwargs)
        found = list(named_values(value))
        if found:
            live = self._live()
            tensors = [self._written(live, *each) for each in found]
            memory = [(name, place) for _, name, each in found if (place := _Memory.of(each)) is not None]
            self.saves.wrote(path_of(target), writer.by, tensors, lambda: self._became(memory), writer.general)

    def serialized(self, tensors: Any, target: Any) -> None:
        """safetensors is about to write arrays, told by their addresses or as bytes."""
        live = self._live()
        written = [_flat(live, name, spec) for name, spec in tensors.items()]
        if written:
            self.saves.wrote(path_of(target), "safetensors", written)

    def expected(self, names: set[str]) -> set[Hashable]:
        """The leaves that a save of these models would hold now: parameters and persistent buffers."""
        keys: set[Hashable] = set()
        for model in self.models.models:
            root = model.root
            if model.name not in names or root is None:
                continue
            for path, tensor, module, _, _ in discover.tensors_of(root):
                leaf = self.models.of(tensor)
                if leaf is not None and path.rpartition(".")[2] not in module._non_persistent_buffers_set:
                    keys.add(leaf.key)
            keys |= {leaf.key for leaf in model.leaves if not leaf.row.registered and leaf.tensor is not None}
            for _, tensor, _, where in discover.hidden_tensors(root):
                leaf = self.models.of(tensor)
                if leaf is not None and leaf.row.model != model.name:
                    self._hidden.setdefault(f"{model.name}.{where}", {})[leaf.row.name] = None
                    keys.add(leaf.key)
        return keys

    def tell_hidden(self) -> None:
        """Tell of modules in plain containers of a model that was written: ``state_dict()`` leaves out their leaves."""
        for where, names in self._hidden.items():
            self.observer.tell(StateHidden(step=self.observer.steps, place=where, tensors=tuple(names)))

    def _live(self) -> dict[Address, TorchLeaf]:
        live: dict[Address, TorchLeaf] = {}
        for leaf in self.models.leaves:
            tensor = leaf.tensor
            if tensor is not None and leaf.row.name and (address := _address(tensor)) is not None:
                live.setdefault(address, leaf)
        return live

    def _became(self, written: Sequence[tuple[str, _Memory]]) -> list[tuple[str, Hashable]]:
        """The leaves that live in memory which was written before they were known."""
        live = self._live()
        found = [(name, live.get(memory.address), memory) for name, memory in written if memory.is_alive()]
        return [(name, leaf.key) for name, leaf, memory in found if leaf is not None and memory.fits(leaf)]

    def _written(self, live: dict[Address, TorchLeaf], section: str, name: str, value: Value) -> Written:
        if isinstance(value, np.ndarray):
            place = value.__array_interface__["data"][0] if value.flags.c_contiguous else value.tobytes()
            return _at(live, place, value.nbytes, section, name, value.shape, value.dtype.name)
        return self._of_tensor(live, section, name, value)

    def _of_tensor(self, live: dict[Address, TorchLeaf], section: str, name: str, tensor: torch.Tensor) -> Written:
        address = _address(tensor)
        leaf = live.get(address) if address is not None else None
        same = leaf is not None and leaf.row.dtype == dtype_name(tensor) and leaf.row.shape == tuple(tensor.shape)
        return Written(
            name,
            section,
            tuple(tensor.shape),
            dtype_name(tensor),
            tensor.numel() * tensor.element_size(),
            Content(tensor),
            leaf.key if leaf is not None and same else None,
            self.taken_at(tensor),
            functools.partial(_module_of, tensor),
        )


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

    def fits(self, leaf: TorchLeaf) -> bool:
        return leaf.row.dtype == self._dtype and leaf.row.shape == self._shape


def _flat(live: dict[Address, TorchLeaf], name: str, spec: Any) -> Written:
    fields = spec if isinstance(spec, dict) else {key: getattr(spec, key) for key in ("dtype", "shape", "data_ptr")}
    shape, dtype = tuple(fields["shape"]), str(fields["dtype"])
    dtype = _SAFETENSORS.get(dtype, dtype)
    if isinstance(spec, dict) and "data" in spec:
        return _at(live, spec["data"], len(spec["data"]), "", name, shape, dtype)
    place, size = (spec["data_ptr"], spec["data_len"]) if isinstance(spec, dict) else (spec.data_ptr, spec.data_len)
    return _at(live, place, size, "", name, shape, dtype)


def _at(
    live: dict[Address, TorchLeaf], place: int | bytes, size: int, section: str, name: str, shape: Shape, dtype: str
) -> Written:
    leaf = live.get((place, size)) if isinstance(place, int) else None
    same = leaf is not None and leaf.row.dtype == dtype and leaf.row.shape == shape
    return Written(name, section, shape, dtype, size, Memory(place), leaf.key if leaf is not None and same else None)


def named_tensors(value: Any) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Every tensor of what is saved, as (dictionary it stands in, name there, tensor)."""
    for section, name, found in named_values(value):
        if isinstance(found, torch.Tensor):
            yield section, name, found


def named_values(value: Any) -> Iterator[tuple[str, str, Value]]:
    """Every tensor and numpy array of what is saved, as (dictionary it stands in, name there, value).

    State of optimizers is left out: it has the shapes of the weights and is none.
    """
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    seen: set[int] = set()
    count = 0
    while stack and count < _ITEMS:
        section, item, depth = stack.pop()
        count += 1
        if id(item) in seen or depth > _DEPTH:
            continue
        seen.add(id(item))
        if isinstance(item, nn.Module):
            for name, tensor, *_ in discover.tensors_of(discover.unwrap(item)):
                yield section, name, tensor
            continue
        for name, inner in _members(item):
            if isinstance(inner, (torch.Tensor, np.ndarray)):
                yield section, name, inner
            else:
                stack.append((f"{section}.{name}" if section else name, inner, depth + 1))


def _members(item: Any) -> list[tuple[str, Any]]:
    if isinstance(item, (torch.optim.Optimizer, str, bytes, int, float, type)):
        return []
    if isinstance(item, dict):
        is_optimizer = {"state", "param_groups"} <= item.keys()
        return [] if is_optimizer else [(str(key), each) for key, each in list(item.items())]
    if isinstance(item, (list, tuple)):
        return [(str(index), each) for index, each in enumerate(item)]
    try:
        attributes = object.__getattribute__(item, "__dict__")
    except AttributeError:
        return []
    return list(attributes.items()) if type(attributes) is dict and not callable(item) else []


def _address(tensor: torch.Tensor) -> Address | None:
    """Where a dense tensor's data are, or None."""
    if why_unreadable(tensor) or tensor.layout != torch.strided or not tensor.numel():
        return None
    try:
        return tensor.data_ptr(), tensor.numel() * tensor.element_size()
    except RuntimeError:  # a subclass that has no memory of its own
        return None


def _module_of(tensor: torch.Tensor) -> str | None:
    """The name of the model that holds this memory, though it is none that is observed."""
    address = _address(tensor)

    def holds(module: nn.Module) -> bool:
        held = module.__dict__.get("_parameters", {}).values()
        return any(_address(each) == address for each in held if each is not None)

    roots = discover.roots_of(module for module in discover.modules_alive() if holds(module))
    names = discover.names_of(roots)
    return next(iter(names.values()), None)
