"""What a script writes with the methods of a Keras model: the variables themselves, so that names need no guessing."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import weakref
from collections.abc import Callable, Hashable, Iterable
from itertools import takewhile
from typing import Any, ClassVar

import numpy as np

from frostline.core.facts import Fact, FilesAlike, FileWritten, SavedSettled
from frostline.frameworks.array_writers import ARCHIVES, ARRAY, SAFETENSORS, ArrayWriters
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import places
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
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


class CheckpointWriting:
    """Relates a model that is written to the tensors of its variables, and arrays that a script writes by their bits.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FilesAlike, FileWritten, SavedSettled)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._models = context.models
        self._dialect = context.dialect
        self._saves = Saves(context.recorder, self._expected)
        self._arrays = ArrayWriters((*ARRAY, *ARCHIVES, *SAFETENSORS), self._wrote_array, context.quietly)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context, saving = self._context, sys.modules[self._dialect.package].saving
        context.signals.finishing.append(self._saves.settle)
        methods = [
            context.wrap(self._dialect.model_type, method, functools.partial(self._save, f"Model.{method}"))
            for method in ("save", "save_weights", "export")
            if hasattr(self._dialect.model_type, method)
        ]
        functions = [
            context.wrap_function(saving, function, functools.partial(self._save, function))
            for function in ("save_model", "save_weights")
            if hasattr(saving, function)
        ]
        return [*methods, *functions, self._arrays.end]

    def _save(self, by: str, original: Any, model: Any, target: Any = None, *args: Any, **kwargs: Any) -> Any:
        given = (target, *args) if target is not None else args
        result = self._arrays.elsewhere(original, model, *given, **kwargs)
        place = target if target is not None else kwargs.get("filepath")
        self._context.quietly("a model was saved", lambda: self._wrote(model, place, by))
        return result

    def _wrote(self, model: Any, target: Any, by: str) -> None:
        """``model`` was written to ``target``; whether it is one that the run trains may show later only."""
        path = os.fsdecode(target) if isinstance(target, str | os.PathLike) else by
        variables = [weakref.ref(variable) for variable in model.weights]
        written = self._written(variables) or self._strange(model)
        self._saves.wrote(path, by, written, lambda: self._named(variables))

    def _wrote_array(self, path: str, by: str, name: str, value: Any) -> None:
        array = np.asarray(value, order="C")
        content = Content(lambda: array.reshape(-1).view(np.uint8))
        self._saves.holds(path, by, Written(name, "", array.shape, array.dtype.name, array.nbytes, content))

    def _strange(self, model: Any) -> list[Written]:
        """The weights of a model that nothing has trained, by their names in it: they may be meant for those of one."""
        dialect, found = self._dialect, []
        for place in places(model, dialect):
            shape, dtype = tuple(int(size) for size in place.variable.shape), dialect.dtype(place.variable)
            content = Content(functools.partial(dialect.read, place.variable))
            with contextlib.suppress(Unreadable):
                size = memoryview(dialect.read(place.variable)).nbytes
                found.append(Written(place.path, "", shape, dtype, size, content, origin=lambda: self._name(model)))
        return found

    def _name(self, model: Any) -> str:
        named = variable_names({id(model)}, skip=(self._dialect.package, "wrapt"))
        return named.get(id(model), self._models.name_of(model))

    def _written(self, variables: list[weakref.ref[Any]]) -> list[Written]:
        return [
            Written(name, "", entry.row.shape, entry.row.dtype, entry.row.bytes, entry, entry.key)
            for name, entry in _inside(self._tensors(variables))
        ]

    def _named(self, variables: list[weakref.ref[Any]]) -> list[tuple[str, Hashable]]:
        return [(name, entry.key) for name, entry in _inside(self._tensors(variables))]

    def _tensors(self, variables: list[weakref.ref[Any]]) -> list[NamedVariable]:
        return [entry for variable in variables if (entry := self._models.of(variable())) is not None]

    def _expected(self, names: set[str]) -> set[Hashable]:
        """The tensors that a save of these models would hold."""
        return {
            entry.key
            for entry in self._models.tensors
            if entry.row.model in names and entry.row.registered and entry.row.owner.role != "random-state"
        }


def _inside(tensors: list[NamedVariable]) -> list[tuple[str, NamedVariable]]:
    """Each tensor under its name in the model that was written, which may be a part of the one it is known by."""
    paths = [entry.row.name.split(".")[1:] for entry in tensors]
    shared = zip(*(path[:-2] for path in paths), strict=False)
    common = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, shared))
    return [(".".join(path[common:]), entry) for entry, path in zip(tensors, paths, strict=True)]
