"""Optimizers of which no tensor has a gradient when they step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.torch.context import Context


class StarvedOptimizers:
    """Looks at checks whether an optimizer finds any gradient at all.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_began.append(self._step_began)
        self._context.signals.check_ended.append(self._check_ended)
        return []

    def _step_began(self, key: Hashable) -> None:
        if self._context.recorder.checking:
            self._look(key)

    def _check_ended(self, key: Hashable) -> None:
        if self._context.recorder.optimizers[
            key
        ].no_gradient_at_last_check:  # a closure makes gradients inside the step
            self._look(key)

    def _look(self, key: Hashable) -> None:
        row, starved = self._context.recorder.optimizers[key], self._context.optimizers.without_gradients(key)
        if starved != row.no_gradient_at_last_check:
            self._context.tell(OptimizerSeen(optimizer=row.id, no_gradient_at_last_check=starved))
