"""Loops in which a torch optimizer trains the variables of a Keras model, on the torch backend."""

from __future__ import annotations

import sys
import weakref
from typing import Any

from frostline.frameworks.claims import claim
from frostline.frameworks.keras_common.models.layers import alive_layers
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source
from frostline.frameworks.keras_common.probe import KerasProbe


def watch_torch_optimizers(probe: KerasProbe) -> None:
    """Take the steps of torch optimizers that hold Keras variables; the torch probe leaves them alone."""
    loops = _Loops(probe)
    module = sys.modules["torch.optim.optimizer"]
    probe.removers.extend(
        [
            claim(loops.is_mine),
            module.register_optimizer_step_pre_hook(loops.before_step).remove,
            module.register_optimizer_step_post_hook(loops.after_step).remove,
        ]
    )


class _Loops:
    def __init__(self, probe: KerasProbe) -> None:
        self._probe = probe
        self._variables: weakref.WeakKeyDictionary[Any, list[weakref.ref[Any]]] = weakref.WeakKeyDictionary()

    def is_mine(self, value: Any) -> bool:
        """Whether ``value`` is a torch optimizer that holds a tensor of a Keras variable."""
        return hasattr(value, "param_groups") and bool(self._held(value))

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Global hook: an optimizer is about to step."""
        if self._probe.running is not None and self._probe.running is self._probe.optimizers.known(optimizer):
            self._probe.break_off(self._probe.running)
        if self._probe.running is None and self.is_mine(optimizer):
            self._probe.begin(lambda: self._source(optimizer))

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Global hook: the optimizer has stepped."""
        source = self._probe.optimizers.known(optimizer)
        if source is not None and self._probe.running is source:
            self._probe.end(source)

    def _source(self, optimizer: Any) -> Source:
        variables = [variable for reference in self._held(optimizer) if (variable := reference()) is not None]
        self._probe.models.meet_variables(variables)
        source = self._probe.optimizers.of_optimizer(optimizer)
        source.mode = "positional"
        references = {id(variable): weakref.ref(optimizer) for variable in variables}
        source.capture = Capture(flags=dict.fromkeys(references), optimizers=references)
        return source

    def _held(self, optimizer: Any) -> list[weakref.ref[Any]]:
        known = self._variables.get(optimizer)
        if known is None:
            wanted = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
            dialect = self._probe.dialect
            owned = [each for layer in alive_layers(dialect) for group in dialect.own(layer) for each in group]
            found = {id(each): each for each in owned if id(each._value) in wanted}
            known = self._variables[optimizer] = [weakref.ref(each) for each in found.values()]
        return known
