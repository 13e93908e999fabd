"""Optimizers that were made and never stepped: what they hold is part of the run all the same."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

import torch

from frostline.core.facts import Fact, OptimizerIdle, OptimizerSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.optimizers import optimizer_state

WAITS = 3  # steps of others after which one that has not stepped yet may never do so


class IdleOptimizers:
    """Takes what such optimizers hold under observation: at a check in the midst of training, else at the end.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerIdle, OptimizerSeen)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made_at: weakref.WeakKeyDictionary[torch.optim.Optimizer, int] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.optimizer_made.append(self._made)
        signals.check_ended.append(self._check_ended)
        signals.finishing.append(self._finishing)
        return []

    def _made(self, optimizer: torch.optim.Optimizer) -> None:
        self._made_at[optimizer] = self._context.recorder.steps

    def _check_ended(self, _: Hashable) -> None:
        """Models of which nobody knows yet get their first look now, so that the last one can tell what moved."""
        context = self._context
        for optimizer in context.optimizers.known():
            made_at = self._made_at.get(optimizer, 0)
            if made_at and context.recorder.steps - made_at >= WAITS and self._is_idle(optimizer):
                context.owners.meet(optimizer)

    def _finishing(self) -> None:
        context = self._context
        for optimizer in context.optimizers.known():
            if self._is_idle(optimizer):
                row = context.recorder.optimizers[context.id_of(optimizer)]
                context.owners.meet(optimizer)
                groups = context.optimizers.groups(row.id, context.models.size_of)
                context.tell(OptimizerSeen(optimizer=row.id, backwards=context.backwards, groups=groups))
                context.recorder.holdings.note(row, optimizer_state.holds(optimizer, context.models.keys()))
                context.tell(OptimizerIdle(step=self._made_at.get(optimizer, 0), optimizer=row.id))

    def _is_idle(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether it never stepped; one that steps for another is a part of that."""
        context = self._context
        if not context.optimizers.registered(optimizer):
            return not context.under_way.is_inner(optimizer)
        return not context.recorder.optimizers[context.id_of(optimizer)].steps_executed
