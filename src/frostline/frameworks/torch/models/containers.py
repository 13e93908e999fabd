"""Lists, dictionaries, objects and modules of the script that hold certain tensors: found from its variables on."""

from __future__ import annotations

import itertools
import sys
import weakref
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from types import ModuleType
from typing import Any

import torch
from torch import nn

from frostline.observe.variable_names import namespaces

DEPTH = 5  # of containers in containers
VISITED = 5_000  # objects
MOST = 4096  # tensors of one
ITEMS = 64  # of a list of something else
_RECEIVERS = ("self", "cls")
_REGISTERED = ("_parameters", "_buffers", "_modules")
_LEFT = (torch.Tensor, torch.optim.Optimizer, ModuleType, type, str, bytes, int, float, type(None))


class Holder:
    """A container of the script, named as the script reaches it; it is kept alive until it is let go.

    Args:
        path: how the script reaches it.
        value: the container.
    """

    def __init__(self, path: str, value: Any) -> None:
        self.path = path
        self.kind = type(value).__name__
        self._value = value
        self._tensors = {suffix: weakref.ref(tensor) for suffix, _, tensor in self.members()}

    def members(self) -> list[tuple[str, str, torch.Tensor]]:
        """Its tensors, each with how the script goes on from the container to it, and with its key or name there."""
        value = self._value
        if isinstance(value, nn.Module):
            named = (*value.named_parameters(), *value.named_buffers())
            return [(f".{name}", name, tensor) for name, tensor in named]
        return [(suffix, key, item) for suffix, key, item in _items(value) if isinstance(item, torch.Tensor)]

    def is_left(self) -> bool:
        """Whether nothing but this keeps the container alive."""
        return self._value is not None and sys.getrefcount(self._value) == 2

    def let_go(self) -> None:
        """Keep the container alive no longer; its tensors are known as long as they live."""
        self._value = None

    def finder(self, suffix: str, key: str) -> Callable[[], torch.Tensor | None]:
        """What gives the tensor that stands there now: scripts put new ones in the place of the former."""

        def find() -> torch.Tensor | None:
            value = self._value
            if isinstance(value, (list, tuple)):
                item = value[int(key)] if int(key) < len(value) else None
            elif isinstance(value, dict):
                item = dict.get(value, key)
            elif value is None or isinstance(value, nn.Module):
                item = self._tensors[suffix]()
            else:
                item = vars(value).get(key)
            return item if isinstance(item, torch.Tensor) else None

        return find


def holders(is_wanted: Callable[[torch.Tensor], bool], is_known: Callable[[nn.Module], bool]) -> list[Holder]:
    """The containers that hold a wanted tensor, the outermost first; a tensor is found in one of them.

    Args:
        is_wanted: asked of tensors.
        is_known: whether a module belongs to a model under observation, whose own tensors are no copies.
    """
    found: list[Holder] = []
    taken: set[int] = set()
    waiting: deque[tuple[str, Any, int]] = deque(_variables())
    visited: set[int] = set()
    while waiting and len(visited) < VISITED:
        path, value, depth = waiting.popleft()
        if id(value) in visited or isinstance(value, _LEFT):
            continue
        visited.add(id(value))
        if isinstance(value, nn.Module) and not is_known(value):
            tensors: Iterable[Any] = (*value.parameters(), *value.buffers())
        else:
            tensors = (item for _, _, item in _items(value) if isinstance(item, torch.Tensor))
        held = {id(each) for each in tensors if id(each) not in taken and is_wanted(each)}
        if held:
            found.append(Holder(path, value))
            taken |= held
        if depth < DEPTH:
            waiting.extend((f"{path}{suffix}".lstrip("."), item, depth + 1) for suffix, item in _inner(value))
    return found


def _variables() -> Iterator[tuple[str, Any, int]]:
    for namespace in namespaces():
        for name, value in namespace:
            if not name.startswith(("@", "__")):
                yield ("" if name in _RECEIVERS else name), value, 0


def _inner(value: Any) -> Iterator[tuple[str, Any]]:
    left: Container[str] = _REGISTERED if isinstance(value, nn.Module) else ()
    for index, (suffix, key, item) in enumerate(_items(value)):
        if index >= ITEMS:
            return
        if key not in left:
            yield suffix, item


def _items(value: Any) -> list[tuple[str, str, Any]]:
    """What a list or dictionary holds, or an object in its attributes, each as names have it and by its key."""
    if isinstance(value, (list, tuple)):
        many = MOST if value and isinstance(value[0], torch.Tensor) else ITEMS
        return [(f".{index}", str(index), item) for index, item in enumerate(value[:many])]
    attributes = value if isinstance(value, dict) else _attributes(value)
    first = itertools.islice(dict.items(attributes), MOST)
    return [(f".{key}", key, item) for key, item in first if isinstance(key, str)]


def _attributes(value: Any) -> dict[Any, Any]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return attributes if type(attributes) is dict else {}
