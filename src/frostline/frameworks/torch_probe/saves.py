"""What a script writes with torch's and safetensors' functions."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import torch
import wrapt
from torch import nn

from frostline.core.ledger import Event
from frostline.frameworks.patching import put
from frostline.frameworks.torch_probe import discover, entries
from frostline.frameworks.torch_probe.leaf import TorchLeaf, dtype_name, host_part, why_unreadable
from frostline.frameworks.torch_probe.models import Models
from frostline.observe.observer import Observer
from frostline.observe.saves import Saves
from frostline.observe.written import Written

BUFFER = "memory"
_DEPTH = 6
_ITEMS = 1 << 17
_SAFETENSORS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool"}
_SAFETENSORS |= {f"{sign}{size}": f"{'u' * (sign == 'U')}int{size}" for sign in "UI" for size in (8, 16, 32, 64)}
_SAFETENSORS |= {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64"}
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
        note: takes an event for every file.
    """

    def __init__(self, models: Models, observer: Observer, note: Callable[[Event], None]) -> None:
        self.models = models
        self.observer = observer
        self.saves = Saves(observer, self.expected, note)
        self.settle = self.saves.settle
        self._taken: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}

    def attach(self, quietly: Callable[[str, Callable[[], Any]], None]) -> list[Callable[[], None]]:
        """Observe what is written and taken from now on; returns what ends it.

        Args:
            quietly: does our part of a wrapped call, after its place in words.
        """

        def save(function: Any, args: Any, kwargs: Any) -> Any:
            value, target = _arguments(args, kwargs)
            quietly("before a file is written", lambda: self.saved(value, target))
            return function(*args, **kwargs)

        def state_dict(function: Any, args: Any, kwargs: Any) -> Any:
            state = function(*args, **kwargs)
            if len(args) == 1 and kwargs.get("destination") is None:
                quietly("a state was taken", lambda: self.took(state))
            return state

        watch = SafetensorsWatch(
            lambda tensors, target: quietly("before a file is written", lambda: self.serialized(tensors, target))
        )
        saver = entries.observed(torch.save, save)
        places: list[tuple[Any, str, Any]] = [(torch, "save", saver), (torch.serialization, "save", saver)]
        places.append((nn.Module, "state_dict", entries.observed(nn.Module.state_dict, state_dict)))
        return [watch.end, *(put(owner, name, observed) for owner, name, observed in places)]

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

    def saved(self, value: Any, target: Any) -> None:
        """``torch.save`` is about to write ``value``."""
        live = self._live()
        tensors = [self._written(live, *found) for found in named_tensors(value)]
        if tensors:
            self.saves.wrote(_path(target), "torch.save", tensors)

    def serialized(self, tensors: Any, target: Any) -> None:
        """safetensors is about to write arrays, told by their addresses or as bytes."""
        live = self._live()
        written = [_flat(live, name, spec) for name, spec in tensors.items()]
        if written:
            self.saves.wrote(_path(target), "safetensors", written)

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
        return keys

    def _live(self) -> dict[Address, TorchLeaf]:
        live: dict[Address, TorchLeaf] = {}
        for leaf in self.models.leaves:
            tensor = leaf.tensor
            if tensor is not None and leaf.row.name and (address := _address(tensor)) is not None:
                live.setdefault(address, leaf)
        return live

    def _written(self, live: dict[Address, TorchLeaf], section: str, name: str, tensor: torch.Tensor) -> Written:
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


def _arguments(args: Any, kwargs: Any) -> tuple[Any, Any]:
    value = args[0] if args else kwargs.get("obj")
    return value, args[1] if len(args) > 1 else kwargs.get("f")


def _flat(live: dict[Address, TorchLeaf], name: str, spec: Any) -> Written:
    fields = spec if isinstance(spec, dict) else {key: getattr(spec, key) for key in ("dtype", "shape", "data_ptr")}
    shape, dtype = tuple(fields["shape"]), str(fields["dtype"])
    dtype = _SAFETENSORS.get(dtype, dtype)
    if isinstance(spec, dict) and "data" in spec:
        return Written(name, "", shape, dtype, len(spec["data"]), Memory(spec["data"]))
    place, size = (spec["data_ptr"], spec["data_len"]) if isinstance(spec, dict) else (spec.data_ptr, spec.data_len)
    leaf = live.get((place, size))
    same = leaf is not None and leaf.row.dtype == dtype and leaf.row.shape == shape
    return Written(name, "", shape, dtype, size, Memory(place), leaf.key if leaf is not None and same else None)


def named_tensors(value: Any) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Every tensor of what is saved, as (dictionary it stands in, name there, tensor).

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
            if isinstance(inner, torch.Tensor):
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


def _path(target: Any) -> str:
    """What is written to, as a path; an object that is written to has a name, or is memory."""
    if isinstance(target, (str, os.PathLike)):
        return os.fsdecode(target)
    name = getattr(target, "name", None)
    return name if isinstance(name, str) else BUFFER


def base_name(target: Any) -> str:
    """The name of a file without its folders, which are nobody's business in a report."""
    return _path(target).rstrip("/").rpartition("/")[2]


class SafetensorsWatch:
    """Calls ``observe(tensors, target)`` before safetensors writes anything, until ``end``.

    All its savers (torch, numpy, flax, tensorflow) come together in two functions, which the modules for the
    frameworks take from the package when they are imported.
    """

    def __init__(self, observe: Callable[[Any, Any], None]) -> None:
        self._observe = observe
        self._undo: list[Callable[[], None]] = []
        self._ended = False
        wrapt.register_post_import_hook(self._imported, "safetensors")

    def _imported(self, package: Any) -> None:
        if self._ended:
            return
        loaded = [module for name, module in list(sys.modules.items()) if name.startswith("safetensors.")]
        for module in (package, *loaded):
            for name in ("serialize_file", "serialize"):
                self._put_around(module, name)

    def _put_around(self, module: Any, name: str) -> None:
        original = getattr(module, name, None)
        if original is None or hasattr(original, "__wrapped__"):
            return

        @functools.wraps(original)
        def observed(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._ended:
                target = args[0] if args and name == "serialize_file" else kwargs.get("filename")
                self._observe(tensors, target)
            return original(tensors, *args, **kwargs)

        self._undo.append(put(module, name, observed))

    def end(self) -> None:
        """Put everything back."""
        self._ended = True
        while self._undo:
            self._undo.pop()()
