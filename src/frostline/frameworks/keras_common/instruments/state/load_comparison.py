"""Files that were loaded into Keras models: what of them is there by its bits when the next step begins."""

from __future__ import annotations

import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LoadCompared
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.frameworks.keras_common.tensors.weight_files import FileTensor, described, weights_in
from frostline.observe.protocols import Unreadable
from frostline.observe.schedule import due
from frostline.observe.script_lines import script_line
from frostline.observe.tensor_match import are_close

Variable = weakref.ref[Any]


@dataclass(slots=True)
class _Load:
    """A file that was given to a model after ``steps`` steps.

    ``landed`` says which variable took each of its tensors, ``left`` which of the model's variables took none.
    """

    file: str
    steps: int
    line: Origin | None
    tensors: dict[str, FileTensor]
    landed: dict[str, Variable] = field(default_factory=dict)
    left: list[Variable] = field(default_factory=list)


class LoadComparison:
    """Compares models with the files that were loaded into them, by the bits and not by names.

    A model into which files are loaded again and again is looked at the 1st, 2nd, 4th, … time.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LoadCompared,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loads: list[_Load] = []
        self._counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context, package = self._context, self._context.dialect.package
        context.signals.refreshed.append(self._compare_all)
        places = [sys.modules[package].saving, sys.modules[package].models]
        return [
            context.wrap(context.dialect.model_type, "load_weights", self._load_weights),
            *(context.wrap_function(place, "load_model", self._load_model) for place in places),
        ]

    def _load_weights(self, original: Any, model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(model, filepath, *args, **kwargs)
        self._context.quietly("weights were loaded", functools.partial(self._loaded, model, filepath))
        return result

    def _load_model(self, original: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        model = original(filepath, *args, **kwargs)
        self._context.quietly("a model was loaded", functools.partial(self._loaded, model, filepath))
        return model

    def _loaded(self, model: Any, filepath: Any) -> None:
        """A file was loaded: which variables hold its tensors?"""
        self._counts[model] = count = self._counts.get(model, 0) + 1
        running = self._context.steps.running is not None or self._context.recorder.clock.over
        if running or not due(count) or not isinstance(filepath, str | os.PathLike):
            return
        path = Path(os.fsdecode(filepath))
        load = _Load(path.name, self._context.recorder.steps, script_line(), weights_in(path))
        self._note_landed(load, model)
        taken = {id(variable()) for variable in load.landed.values()}
        self._loads = [
            each for each in self._loads if not taken & {id(variable()) for variable in each.landed.values()}
        ]
        if load.tensors:
            self._loads.append(load)

    def _note_landed(self, load: _Load, model: Any) -> None:
        by_mark = {tensor.mark: name for name, tensor in load.tensors.items()}
        types = {tensor.dtype for tensor in load.tensors.values()}
        for variable in model.weights:
            now = self._described(variable)
            if now is None:
                continue
            if now.dtype not in types:  # another type than the file's: nothing can be told by the bits
                load.tensors.clear()
                return
            name = by_mark.get(now.mark)
            if name is None:
                load.left.append(weakref.ref(variable))
            else:
                load.landed[name] = weakref.ref(variable)

    def _described(self, variable: Any) -> FileTensor | None:
        dialect = self._context.dialect
        try:
            content = memoryview(dialect.read(variable)).cast("B")
        except Unreadable:
            return None
        dtype, shape = dialect.dtype(variable), tuple(int(size) for size in variable.shape)
        return described(content, dtype, shape)

    def _compare_all(self) -> None:
        """A check begins: compare what was loaded into models that are known by now."""
        if self._context.recorder.clock.closing:
            self._loads.clear()
        waiting = []
        for load in self._loads:
            known = [self._entry(variable) for variable in (*load.landed.values(), *load.left)]
            if any(entry is not None for entry in known):
                self._compare(load)
            else:
                waiting.append(load)
        self._loads = waiting

    def _entry(self, variable: Variable) -> NamedVariable | None:
        live = variable()
        return self._context.models.of(live) if live is not None else None

    def _compare(self, load: _Load) -> None:
        rewritten: list[NamedVariable] = []
        close: list[NamedVariable] = []
        at_once = load.steps == self._context.recorder.steps
        for name, variable in load.landed.items() if at_once else ():
            entry = self._entry(variable)
            now = self._described(variable()) if entry is not None else None
            if entry is not None and now is not None and now.mark != load.tensors[name].mark:
                rewritten.append(entry)
                if are_close(now.values, load.tensors[name].values):
                    close.append(entry)
        nowhere = [name for name in load.tensors if name not in load.landed]
        left = [entry for each in load.left if (entry := self._entry(each)) is not None][: len(nowhere)]
        models = [entry.row.model for each in (*load.landed.values(), *load.left) if (entry := self._entry(each))]
        self._context.tell(
            LoadCompared(
                origin=load.line,
                step=load.steps,
                file=load.file,
                model=models[0],
                entries=len(load.tensors),
                there=len(load.landed) - len(rewritten),
                rewritten=tuple(entry.row.name for entry in rewritten),
                close=tuple(entry.row.name for entry in close),
                lacking=tuple(entry.row.name for entry in left),
                absent=tuple(nowhere[len(left) :]),
            )
        )
