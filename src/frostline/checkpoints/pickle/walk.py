"""Finds the tensors in what a pickle of torch says: names as in a state dict, views of storages, and the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from frostline.checkpoints.extras import mark
from frostline.checkpoints.pickle import joblib_arrays, numpy_records, torch_tensors, torch_wrappers
from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs, Persistent
from frostline.checkpoints.pickle.torch_tensors import (
    FOUND,
    Found,
    Other,
    Part,
    Plain,
    Unread,
    Unusable,
    storage_view,
    text_of,
)
from frostline.errors import CheckpointError

LEAST_WORK = 10_000
WORK_PER_STEP = 100
NAME_PIECE = 64
DEEPEST = 200

READERS: dict[str, Callable[[Call], list[Part]]] = {
    **torch_tensors.READERS,
    **numpy_records.READERS,
    **joblib_arrays.READERS,
    "torch._tensor._rebuild_from_type": torch_wrappers.from_type,
    "torch._tensor._rebuild_from_type_v2": torch_wrappers.from_type,
}

_ORDERED = "collections.OrderedDict"
_VERSIONS = "_metadata"  # an attribute of a state dict
_CONTAINERS = (_ORDERED, "collections.defaultdict", "collections.Counter", "collections.deque")
_MODULE_PARTS = ("_parameters", "_buffers", "_modules")


@dataclass(slots=True)
class Walk:
    """One walk over the records of a pickle; ``found`` lists every name with what stands there.

    A record may be reached by many paths and each gives a name, so a small file can describe a graph with more paths
    than atoms: the walk may do ``WORK_PER_STEP`` times the work of the pickle's own ``steps``, long names counted.

    With ``values`` plain numbers and lists of them are tensors too: in a pickle that torch did not write they may be
    the weights.
    """

    where: str
    steps: int
    values: bool = False
    found: list[tuple[str, Found]] = field(default_factory=list)
    work: int = 0
    uncompared: list[str] = field(default_factory=list)

    def visit(self, name: str, value: Any, depth: int = 0, maker: str = "") -> None:
        """Record the tensors under ``value`` by their names; ``maker`` is the unknown object that it is part of."""
        self.work += 1 + len(name) // NAME_PIECE
        if self.work > LEAST_WORK + WORK_PER_STEP * self.steps or depth > DEEPEST:
            raise CheckpointError(
                f"{self.where}: its objects are nested too deep or too often to be a checkpoint",
                "the file is damaged, or is no checkpoint",
            )
        if isinstance(value, Call):
            self._visit_call(name, value, depth + 1, maker)
        elif isinstance(value, Persistent) and isinstance(value.id, tuple) and value.id[:1] == ("module",):
            self.found.append((name, Other("not a tensor: a class and its source")))  # a stream keeps both so
        elif isinstance(value, Persistent):
            self.found.append((name, self._checked(name, lambda: storage_view(value))))
        elif isinstance(value, bytes) and value:
            unread = Unread(f"bytes inside {maker}, which is not known here")
            self.found.append((name, unread if maker else Plain("uint8", (len(value),), value)))
        elif self.values and (plain := _plain(value)) is not None:
            self.work += math.prod(plain.shape)
            self.found.append((name, plain))
        else:
            children = _children(value)
            if children is None:
                self.found.append((name, Other(text_of(value))))
                return
            if not children:
                self.found.append((name, Other("empty")))
            for part, child in children:
                self.visit(_joined(name, part), child, depth + 1, maker)

    def _visit_call(self, name: str, call: Call, depth: int, maker: str) -> None:
        function = str(call.function)
        reader = READERS.get(function)
        if reader is not None:
            if torch_tensors.asks_for_gradients(call):
                self._leave_out("which tensors ask for gradients (requires_grad)")
            for suffix, found in self._checked(name, lambda: reader(call)):
                if isinstance(found, FOUND):
                    self.found.append((name + suffix, found))
                else:
                    self.visit(name + suffix, found, depth, maker)
            return
        if function in _CONTAINERS:
            for part, child in _parts(call):
                if (function, part) == (_ORDERED, _VERSIONS):
                    self._visit_versions(_joined(name, part), child, depth)
                else:
                    self.visit(_joined(name, part), child, depth, maker)
            return
        start = len(self.found)
        inside = "" if function.startswith("datetime.") else function
        for part, child in _parts(call):
            self.visit(_joined(name, part), child, depth, inside)
        self.found[start:] = self._object(name, function, self.found[start:])

    def _visit_versions(self, name: str, value: Any, depth: int) -> None:
        """The versions of modules that torch keeps beside a state dict are left out; tensors there are none of them."""
        start, values, self.values = len(self.found), self.values, False
        self.visit(name, value, depth)
        self.values, entries = values, self.found[start:]
        self.found[start:] = [entry for entry in entries if not isinstance(entry[1], Other)]
        self._leave_out("versions of modules (_metadata)")

    def _leave_out(self, what: str) -> None:
        if what not in self.uncompared:
            self.uncompared.append(what)

    @staticmethod
    def _object(name: str, function: str, parts: list[tuple[str, Found]]) -> list[tuple[str, Found]]:
        """What is listed of an object of an unknown class: its tensors, and one entry for all that is none."""
        tensors = [entry for entry in parts if not isinstance(entry[1], Other)]
        others = "\n".join(f"{inside}: {each.text}" for inside, each in parts if isinstance(each, Other))
        if tensors and not others:
            return tensors
        content = f" ({mark(others)})" if others else ""
        return [*tensors, (name, Other(f"not a tensor: names {function}{content}"))]

    def _checked(self, name: str, read: Any) -> Any:
        try:
            return read()
        except (Unusable, ValueError, TypeError, IndexError, AttributeError, KeyError, OverflowError):
            raise CheckpointError(
                f"{self.where}: {name!r} is described as no torch writes a tensor",
                "the file is damaged, or is no checkpoint",
            ) from None


def _plain(value: Any) -> Plain | None:
    """A number, or a list of numbers of one type, as a tensor."""
    if isinstance(value, bool | int | float):
        return numpy_records.numbers_in((), [value])
    items = value.items if isinstance(value, Items) else value if isinstance(value, tuple) else []
    return numpy_records.numbers_in((len(items),), list(items)) if items else None


def _children(value: Any) -> list[tuple[str, Any]] | None:
    """Named members of a container; None for a plain value."""
    if isinstance(value, Pairs):
        return _members(value.pairs)
    if isinstance(value, Items):
        return [(str(index), child) for index, child in enumerate(value.items)]
    if isinstance(value, tuple):
        return [(str(index), child) for index, child in enumerate(value)]
    return None


def _parts(call: Call) -> Iterator[tuple[str, Any]]:
    """What an object holds, by the names its tensors would have in a state dict."""
    yield from _members(call.pairs)
    yield from ((str(index), child) for index, child in enumerate(call.items))
    for index, state in enumerate(call.state if isinstance(call.state, tuple) else (call.state,)):
        members = _children(state)
        if members is None:
            yield f"state.{index}", state
        for part, child in members or ():
            if part in _MODULE_PARTS:
                yield from _children(child) or (_parts(child) if isinstance(child, Call) else ())
            else:
                yield part, child
    yield from _old_ordered(call) if str(call.function) == _ORDERED else _children(call.args) or ()


def _members(pairs: list[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    """What a dict holds, by names; a key that is no plain value has a number for its name, and stands beside it."""
    names = [_key(key) if _is_plain(key) else f"key {index}" for index, (key, _) in enumerate(pairs)]
    named = [(name, child) for name, (_, child) in zip(names, pairs, strict=True)]
    return named + [(f"{name}.key", key) for name, (key, _) in zip(names, pairs, strict=True) if not _is_plain(key)]


def _is_plain(key: Any) -> bool:
    if isinstance(key, tuple):
        return all(map(_is_plain, key))
    return key is None or isinstance(key, bool | int | float | str | bytes | Global)


def _old_ordered(call: Call) -> Iterator[tuple[str, Any]]:
    """The pairs of an OrderedDict as Python 2 pickled it: a list of lists of two; and what else it was made from."""
    for index, argument in enumerate(call.args if isinstance(call.args, tuple) else ()):
        pairs = [_children(pair) or [] for pair in argument.items] if isinstance(argument, Items) else [[]]
        if all(len(pair) == 2 for pair in pairs):
            yield from _members([(key, child) for (_, key), (_, child) in pairs])
        else:
            yield str(index), argument


def _key(key: Any) -> str:
    """A key of a dict as a part of a name; a tuple, as flattened states have them, by its members."""
    if isinstance(key, tuple) and key:
        return ".".join(_key(part) for part in key)
    return key if isinstance(key, str) else text_of(key)


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
