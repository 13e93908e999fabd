"""Gradients that no check has seen: what optimizers keep, and what moved, says whether there were any."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, Held, TensorSeen
from frostline.core.ledger import Holding
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.accumulation import note_waiting
from frostline.frameworks.keras_common.optimizers.gradient_inference import is_unassigned, settle_gradients
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable


class InferredGradients:
    """Completes, when the run is over, what is known of each tensor in each optimizer.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held, TensorSeen)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._infer_all)
        return []

    def _infer_all(self) -> None:
        for entry in self._context.models.tensors:
            for holding in entry.row.optimizers:
                self._infer(entry, holding)

    def _infer(self, entry: NamedVariable, holding: Holding) -> None:
        recorder, models, dialect = self._context.recorder, self._context.models, self._context.dialect
        source = self._context.optimizers.sources[holding.optimizer]
        rate = recorder.holdings.max_lr(holding.optimizer, holding.group)
        steps = recorder.optimizers[holding.optimizer].steps_executed
        held = functools.partial(Held, optimizer=holding.optimizer, tensors=(entry.row.id,))
        self._context.tell(held(max_lr=rate, steps=steps))
        if not steps:
            note_waiting(entry, source, models)
        if is_unassigned(entry, holding, source, models, dialect):
            self._context.tell(held(unassigned=True))
        else:
            settle_gradients(entry, holding, source, models, dialect)
