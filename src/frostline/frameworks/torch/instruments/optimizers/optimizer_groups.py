"""The groups of optimizers: their rates and sizes, and tensors in them that no model has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, Held, OptimizerSeen
from frostline.frameworks.torch.context import Context


class OptimizerGroups:
    """Reads the groups at checks, and at the end the largest rate of each tensor.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen, Held)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.check_ended.append(self._check_ended)
        signals.finished.append(self._tell_rates)
        return []

    def _check_ended(self, key: Hashable) -> None:
        context, row = self._context, self._context.recorder.optimizers[key]
        groups = context.optimizers.groups(key, context.models.size_of)
        shapes = context.owners.foreign_shapes(context.optimizers.of(key))
        if (groups, shapes) != (row.groups, row.foreign_shapes):
            context.tell(OptimizerSeen(optimizer=row.id, groups=groups, foreign_shapes=shapes))

    def _tell_rates(self) -> None:
        """Tell the largest rate that each tensor was held at, and for how many steps."""
        recorder = self._context.recorder
        same: dict[tuple[str, float | None, int], list[int]] = {}
        for entry in self._context.models.tensors:
            for holding in entry.row.optimizers:
                rate = recorder.holdings.max_lr(holding.optimizer, holding.group)
                steps = recorder.optimizers[holding.optimizer].steps_executed
                same.setdefault((holding.optimizer, rate, steps), []).append(entry.row.id)
        for (optimizer, rate, steps), tensors in same.items():
            recorder.tell(Held(optimizer=optimizer, tensors=tuple(tensors), max_lr=rate, steps=steps))
