"""Variables that were frozen one by one in a model that was written or copied, and are trainable in what came back.

A file and a copy know the flags of layers only.
"""

from __future__ import annotations

import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, FlagsLost
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import places
from frostline.observe.script_lines import script_line


class LostFlags:
    """Compares the flags of a model with those of what ``load_model`` or ``clone_model`` made of it.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagsLost,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._written: dict[str, Mapping[str, Any]] = {}  # by file, the frozen variables of the model that it holds
        self._lost: list[tuple[FlagsLost, list[weakref.ref[Any]]]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context, package = self._context, sys.modules[self._context.dialect.package]
        if context.dialect.flag_by_road:  # there variables have no flags of their own
            return []
        context.signals.finished.append(self._tell)
        modules = (package.models, package.saving)
        return [
            context.wrap(context.dialect.model_type, "save", self._save),
            *(context.wrap_function(module, "save_model", self._save) for module in modules),
            *(context.wrap_function(module, "load_model", self._load) for module in modules),
            context.wrap_function(package.models, "clone_model", self._clone),
        ]

    def _save(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(model, *args, **kwargs)
        place = args[0] if args else kwargs.get("filepath")
        self._context.quietly("a model was written", lambda: self._note(model, place))
        return result

    def _note(self, model: Any, place: Any) -> None:
        if isinstance(place, str | os.PathLike):
            self._written[os.path.abspath(os.fsdecode(place))] = self._flags(model, on=False)

    def _load(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        place = args[0] if args else kwargs.get("filepath")
        if isinstance(place, str | os.PathLike):
            frozen = self._written.get(os.path.abspath(os.fsdecode(place)), {})
            compare = functools.partial(self._compare, "load_model", frozen, made, script_line())
            self._context.quietly("a model was loaded", compare)
        return made

    def _clone(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(model, *args, **kwargs)
        line = script_line()
        self._context.quietly(
            "a model was cloned", lambda: self._compare("clone_model", self._flags(model, on=False), made, line)
        )
        return made

    def _flags(self, model: Any, *, on: bool) -> dict[str, weakref.ref[Any]]:
        """The variables of the model that have this flag, by their paths in it."""
        found = (place for place in places(model, self._context.dialect) if place.kind == "parameter")
        return {place.path: weakref.ref(place.variable) for place in found if bool(place.variable.trainable) is on}

    def _compare(self, act: str, frozen: Mapping[str, Any], made: Any, line: Origin | None) -> None:
        trainable = self._flags(made, on=True) if frozen else {}
        lost = [variable for path, variable in trainable.items() if path in frozen]
        if lost:
            fact = FlagsLost(step=self._context.recorder.steps, act=act, tensors=(), origin=line)
            self._lost.append((fact, lost))

    def _tell(self) -> None:
        """Name the variables, now that every model is known which ever trained."""
        models = self._context.models
        for fact, variables in self._lost:
            entries = [entry for variable in variables if (entry := models.of(variable())) is not None]
            if entries:
                names = tuple(entry.row.name for entry in entries)
                self._context.tell(FlagsLost(step=fact.step, act=fact.act, tensors=names, origin=fact.origin))
        self._lost.clear()
