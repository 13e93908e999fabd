"""Weights that never moved: how they look, and whether a layer like theirs was trained in their stead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, ModuleSeen, TensorSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.gradient_inference import sibling_moved
from frostline.frameworks.keras_common.tensors.init_distribution import is_zeros, looks_initial


class UnchangedWeights:
    """Looks, when the run is over, at tensors that kept every bit.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen, TensorSeen)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._look)
        return []

    def _look(self) -> None:
        models, tell = self._context.models, self._context.tell
        for entry in models.tensors:
            row = entry.row
            if row.changed.verdict != "no":
                continue
            if row.declared.first is False or not row.registered:
                tell(ModuleSeen(tensors=(row.id,), default_initialised=looks_initial(entry)))
            if row.declared.trainable:
                tell(ModuleSeen(tensors=(row.id,), sibling_called=sibling_moved(entry, models)))
            if row.declared.trainable or row.owner.role == "normalisation":
                tell(TensorSeen(tensor=row.id, zeros=is_zeros(entry)))
