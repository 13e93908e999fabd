"""Layers that are made again in each forward pass, so that what they learn is thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, ModulesRecreated, TensorsDropped
from frostline.frameworks.keras_common.context import Context


class RecreatedLayers:
    """Tells of each kind of layer that passes recreated; their weights, gone with them, have no rows.

    Where there is no more than one for each optimizer, it was made with the model: in a loop over folds, say.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModulesRecreated, TensorsDropped)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.closing.append(self._look)
        return []

    def _look(self) -> None:
        models, recorder = self._context.models, self._context.recorder
        gone = [entry for entry in models.tensors if entry.is_of_nobody and entry.variable is None]
        weights = Counter((entry.row.owner.type, entry.row.name.rpartition(".")[2].partition("#")[0]) for entry in gone)
        passes: dict[str, int] = {}
        for (kind, _), count in weights.items():
            passes[kind] = max(count, passes.get(kind, 0))
        passes = {kind: count for kind, count in passes.items() if count > len(recorder.optimizers)}
        anew = [entry for entry in gone if entry.row.owner.type in passes]
        if anew:
            models.forget(anew)
            self._context.tell(TensorsDropped(tensors=tuple(entry.row.id for entry in anew)))
        for kind, count in passes.items():
            self._context.tell(ModulesRecreated(step=recorder.steps, type=kind, passes=count))
