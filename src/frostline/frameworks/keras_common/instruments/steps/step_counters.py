"""Steps that were skipped, gathered or made several at a time, read off the optimizers' own counters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.accumulation import count_steps


class StepCounters:
    """Compares, when the run is over, the calls of each optimizer with what it counted itself.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._count)
        return []

    def _count(self) -> None:
        context = self._context
        for source in context.optimizers.sources.values():
            count_steps(source, context.recorder.optimizers[source.key], context.models, context.dialect)
