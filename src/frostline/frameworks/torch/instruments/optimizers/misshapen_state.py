"""Optimizer state that has another shape than the tensor that it is kept for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

import torch

from frostline.core.facts import Fact, StateMisshapen
from frostline.frameworks.torch.context import Context

MOMENTS = ("exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg")


class MisshapenState:
    """Compares, at checks, the shapes of moments with those of their tensors.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (StateMisshapen,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.check_ended.append(self._check_ended)
        return []

    def _check_ended(self, key: Hashable) -> None:
        context = self._context
        wrong = [tensor for optimizer in context.optimizers.of(key) for tensor in _misshapen(optimizer)]
        if wrong:
            row, names = context.recorder.optimizers[key], context.names_of(wrong)
            context.tell(StateMisshapen(step=context.recorder.steps, optimizer=row.id, tensors=names))


def _misshapen(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Tensors whose moments have another shape than they: state that was made for other tensors."""
    wrong = []
    for tensor, state in optimizer.state.items():
        if isinstance(tensor, torch.Tensor) and isinstance(state, dict):
            moments = [state.get(name) for name in MOMENTS]
            if any(isinstance(moment, torch.Tensor) and moment.shape != tensor.shape for moment in moments):
                wrong.append(tensor)
    return wrong
