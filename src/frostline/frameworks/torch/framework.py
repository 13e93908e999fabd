"""PyTorch as the session knows it: attached, asked to look at something, closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from frostline.frameworks.protocol import Instrument
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside


class Torch:
    """Every torch optimizer and model of the process, under observation.

    Args:
        context: the base of the instruments.
        instruments: in the order in which they are called.
    """

    name = "torch"

    def __init__(self, context: Context, instruments: Iterable[Instrument]) -> None:
        self._context = context
        self.observer = context.recorder
        for instrument in instruments:
            context.removers.extend(instrument.attach())
        context.forwards.switch(True)

    def take(self, value: Any) -> None:
        """Observe a model or optimizer that was named explicitly; anything else is left alone."""
        if isinstance(value, nn.Module):
            self._context.meet(value)
        elif isinstance(value, torch.optim.Optimizer):
            self._context.id_of(value)
            self._context.owners.meet(value)

    def place_in_group(self) -> tuple[int, int] | None:
        """This process's rank and the number of processes, once it has joined others; None when alone."""
        group = torch.distributed
        joined = group.is_available() and group.is_initialized() and group.get_world_size() > 1
        return (group.get_rank(), group.get_world_size()) if joined else None

    def close(self) -> None:
        """The last check; afterwards nothing is kept alive."""
        context = self._context
        with aside():
            context.publish("at the end of training", context.signals.training_ended)
            self.observer.clock.over = True
            context.publish("before the last check", context.signals.finishing)
            self.observer.close()
        context.forwards.switch(False)
        for remove in reversed(context.removers):
            remove()
        context.models.let_go()
        context.optimizers.let_go()
