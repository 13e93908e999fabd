"""Loops in which a torch optimizer trains the variables of a Keras model, on the torch backend."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.claims import claim
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import alive_layers
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source


class TorchOptimizerSteps:
    """Takes the steps of torch optimizers that hold Keras variables; what observes PyTorch leaves them alone.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._steps, self._optimizers, self._dialect = context.steps, context.optimizers, context.dialect
        self._variables: weakref.WeakKeyDictionary[Any, list[weakref.ref[Any]]] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        module = sys.modules["torch.optim.optimizer"]
        return [
            claim(self._is_mine),
            module.register_optimizer_step_pre_hook(self._before_step).remove,
            module.register_optimizer_step_post_hook(self._after_step).remove,
        ]

    def _is_mine(self, value: Any) -> bool:
        """Whether ``value`` is a torch optimizer that holds a tensor of a Keras variable."""
        return hasattr(value, "param_groups") and bool(self._held(value))

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Global hook: an optimizer is about to step."""
        if self._steps.running is not None and self._steps.running is self._optimizers.known(optimizer):
            self._steps.break_off(self._steps.running)
        if self._steps.running is None and self._is_mine(optimizer):
            self._steps.begin(lambda: self._source(optimizer))

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Global hook: the optimizer has stepped."""
        source = self._optimizers.known(optimizer)
        if source is not None and self._steps.running is source:
            self._steps.end(source)

    def _source(self, optimizer: Any) -> Source:
        variables = [variable for reference in self._held(optimizer) if (variable := reference()) is not None]
        source = self._optimizers.of_optimizer(optimizer, variables)
        source.mode = "positional"
        references = {id(variable): weakref.ref(optimizer) for variable in variables}
        source.capture = Capture(flags=dict.fromkeys(references), optimizers=references)
        return source

    def _held(self, optimizer: Any) -> list[weakref.ref[Any]]:
        known = self._variables.get(optimizer)
        if known is None:
            wanted = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
            dialect = self._dialect
            owned = [each for layer in alive_layers(dialect) for group in dialect.own(layer) for each in group]
            found = {id(each): each for each in owned if id(each._value) in wanted}
            known = self._variables[optimizer] = [weakref.ref(each) for each in found.values()]
        return known
