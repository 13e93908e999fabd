"""What a script writes with the methods of a Keras model: the variables themselves, so that names need no guessing."""

from __future__ import annotations

import contextlib
import functools
import os
import weakref
from collections.abc import Callable, Hashable
from itertools import takewhile
from typing import Any

from frostline.frameworks.keras_common.models.layers import places
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.observer import Observer
from frostline.observe.protocols import Unreadable
from frostline.observe.saves import Saves
from frostline.observe.tensor_match import Written
from frostline.observe.variable_names import variable_names


class Content:
    """A variable about to be written; it is read where it is looked at."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        return bytes(memoryview(self._read()).cast("B")[start:stop])


class LayeredSaves:
    """Relates a model that is written to the tensors of its variables.

    Args:
        models: the models under observation.
        observer: knows the tensors.
    """

    def __init__(self, models: Models, observer: Observer) -> None:
        self.models = models
        self.saves = Saves(observer, self.expected)
        self.settle = self.saves.settle

    def wrote(self, model: Any, target: Any, by: str) -> None:
        """``model`` was written to ``target``; whether it is one that the run trains may show later only."""
        path = os.fsdecode(target) if isinstance(target, str | os.PathLike) else by
        variables = [weakref.ref(variable) for variable in model.weights]
        written = self._written(variables) or self._strange(model)
        self.saves.wrote(path, by, written, lambda: self._named(variables))

    def _strange(self, model: Any) -> list[Written]:
        """The weights of a model that nothing has trained, by their names in it: they may be meant for those of one."""
        dialect = self.models.dialect
        found = []
        for place in places(model, dialect):
            shape, dtype = tuple(int(size) for size in place.variable.shape), dialect.dtype(place.variable)
            content = Content(functools.partial(dialect.read, place.variable))
            with contextlib.suppress(Unreadable):
                size = memoryview(dialect.read(place.variable)).nbytes
                found.append(Written(place.path, "", shape, dtype, size, content, origin=lambda: self._name(model)))
        return found

    def _name(self, model: Any) -> str:
        named = variable_names({id(model)}, skip=(self.models.dialect.package, "wrapt"))
        return named.get(id(model), self.models.name_of(model))

    def _written(self, variables: list[weakref.ref[Any]]) -> list[Written]:
        return [
            Written(name, "", entry.row.shape, entry.row.dtype, entry.row.bytes, entry, entry.key)
            for name, entry in _inside(self._tensors(variables))
        ]

    def _named(self, variables: list[weakref.ref[Any]]) -> list[tuple[str, Hashable]]:
        return [(name, entry.key) for name, entry in _inside(self._tensors(variables))]

    def _tensors(self, variables: list[weakref.ref[Any]]) -> list[NamedVariable]:
        return [entry for variable in variables if (entry := self.models.of(variable())) is not None]

    def expected(self, names: set[str]) -> set[Hashable]:
        """The tensors that a save of these models would hold."""
        return {
            entry.key
            for entry in self.models.tensors
            if entry.row.model in names and entry.row.registered and entry.row.owner.role != "random-state"
        }


def _inside(tensors: list[NamedVariable]) -> list[tuple[str, NamedVariable]]:
    """Each tensor under its name in the model that was written, which may be a part of the one it is known by."""
    paths = [entry.row.name.split(".")[1:] for entry in tensors]
    shared = zip(*(path[:-2] for path in paths), strict=False)
    common = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, shared))
    return [(".".join(path[common:]), entry) for entry, path in zip(tensors, paths, strict=True)]
