"""Models that are made in the midst of the training, when forward passes are watched around checks only."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

from frostline.core.facts import Fact
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.observe.schedule import due


class LateModels:
    """Has the next forward passes watched when parameters were registered since the last step.

    Scripts that make modules in every iteration have it so for their 1st, 2nd, 4th, … step with new parameters;
    a model that was met lets the count begin again.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._registered = False
        self._times = 0
        self._watched = 0  # steps for which the hooks stay on

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_ended.append(self._step_ended)
        self._context.signals.model_met.append(self._met)
        return [register_module_parameter_registration_hook(dynamo_guard.hook(self._note)).remove]

    def _note(self, *_: Any) -> None:
        self._registered = True

    def _met(self) -> None:
        self._times = 0

    def _step_ended(self, _: torch.optim.Optimizer, __: Hashable) -> None:
        """Passes are watched from one step to the next, so that what is called inside another one is not met alone."""
        if self._registered:
            self._registered = False
            self._times += 1
            if due(self._times):
                self._watched = 1 + len(self._context.recorder.optimizers)
        if self._watched:
            self._watched -= 1
            self._context.forwards.switch(True)
