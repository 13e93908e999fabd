"""The optimizers of a Keras: train steps of models, optimizers called by the script, functions that it compiled."""

from __future__ import annotations

import math
import weakref
from collections.abc import Hashable, Iterable
from typing import Any

from frostline.core.facts import OptimizerSeen
from frostline.frameworks.keras_common.keras_api import Dialect, Mode
from frostline.frameworks.keras_common.models.models import KEPT_ALIVE, Models
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.variable_names import variable_names

WIDEST = 8  # bytes of a number


class Optimizers:
    """Every optimizer seen so far, by what stands behind it.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self.sources: dict[Hashable, Source] = {}
        self._of: weakref.WeakKeyDictionary[Any, Source] = weakref.WeakKeyDictionary()
        self._kept: list[Any] = []

    def of_model(self, model: Any, mode: Mode) -> Source:
        """The optimizer that is the train step of ``model``."""
        source = self._of.get(model)
        if source is None:
            self.models.meet(model)
            name = self.models.name_of(model)
            kind = type(getattr(model, "optimizer", None)).__name__
            source = self._register(name, "compiled-step", f"train step ({kind})", model)
            self.models.tell(OptimizerSeen(optimizer=str(source.key), trains_model=name))
            source.model = weakref.ref(model)
        source.mode = mode
        return source

    def of_optimizer(self, optimizer: Any, variables: Iterable[Any] = ()) -> Source:
        """The optimizer that the script calls itself; the models that hold ``variables`` are met with it."""
        self.models.meet_variables(variables)
        source = self._of.get(optimizer)
        if source is None:
            kind = type(optimizer).__name__
            name = variable_names({id(optimizer)}, skip=(self.models.dialect.package,)).get(id(optimizer), kind)
            source = self._register(name, "optimizer", kind, optimizer)
            source.optimizer = weakref.ref(optimizer)
        return source

    def of_jitted(self, optimizer: Any, name: str) -> Source:
        """The optimizer that is a function of the script which jax compiles and in which the optimizer steps."""
        source = self._of.get(optimizer)
        if source is None:
            kind = f"compiled function ({type(optimizer).__name__})"
            source = self._register(name, "compiled-step", kind, optimizer)
            self._keep(optimizer)
        return source

    def joined(self, optimizer: Any, source: Source) -> None:
        """A further optimizer steps in the function that this optimizer is."""
        self._of[optimizer] = source
        self.models.tell(OptimizerSeen(optimizer=str(source.key), name="compiled function"))
        self._keep(optimizer)

    def of_function(self, function: Any, name: str) -> Source:
        """The optimizer that is a compiled function of the script in which optimizers step."""
        source = self._of.get(function)
        if source is None:
            source = self._register(name, "compiled-step", "compiled function", function)
            source.mode = "traced"
        return source

    def known(self, owner: Any) -> Source | None:
        """The optimizer of a model, optimizer or function, if it has one."""
        return self._of.get(owner)

    def let_go(self) -> None:
        """Keep no optimizer alive any longer."""
        self._kept.clear()

    def _keep(self, optimizer: Any) -> None:
        """Keep a small optimizer alive as small models are: at the last check its state says what had a gradient."""
        kept = [*self._kept, optimizer]
        if WIDEST * sum(math.prod(variable.shape) for each in kept for variable in each.variables) <= KEPT_ALIVE:
            self._kept = kept

    def _register(self, label: str, kind: str, what: str, owner: Any) -> Source:
        name = self.models.observer.tracked.found_optimizer(label, kind, what).id
        source = self.sources[name] = Source(name)
        self._of[owner] = source
        return source


def described(source: Source, held: list[NamedVariable], dialect: Dialect) -> list[dict[str, Any]]:
    """The groups of what the optimizer holds; the model's own optimizer where none has stepped yet."""
    capture = source.capture or Capture()
    groups = [(each, part) for reference, part in source.groups if (each := reference()) is not None]
    found: list[dict[str, Any]] = []
    for optimizer, part in groups or [(each, 0) for each in source.optimizers()[:1]]:
        theirs = [entry for entry in held if capture.optimizers[id(entry.variable)]() is optimizer]
        mine = [entry for entry in theirs if dialect.optimizers.part(optimizer, entry.variable) == part]
        found.append(
            {
                "lr": dialect.optimizers.rate(optimizer, part),
                "weight_decay": getattr(optimizer, "weight_decay", None),
                "tensors": len(mine),
                "parameters": sum(entry.row.size for entry in mine),
            }
        )
    return found
