"""Tensors on one storage: what is known of the others is told of the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import AliasFlagged, Fact, HeldByAlias, TensorSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.tensors import in_shared_memory


class TiedTensors:
    """Looks, when the run is over, at the flags and optimizers of tensors that share memory, also with other processes.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (AliasFlagged, HeldByAlias, TensorSeen)

    def __init__(self, context: Context) -> None:
        self._models, self._signals = context.models, context.signals

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.finished.append(self._finish)
        return []

    def _finish(self) -> None:
        for entry in self._models.tensors:
            if entry.tensor is not None and (shared := in_shared_memory(entry.tensor)) != entry.row.shared:
                self._models.tell(TensorSeen(tensor=entry.row.id, shared=shared))
            for alias in entry.row.aliases:
                other = self._models.by_name.get(alias)
                if other is None or other is entry:
                    continue
                flag = other.row.declared.trainable
                if flag is not None and flag != entry.row.declared.trainable:
                    self._models.tell(AliasFlagged(tensor=entry.row.id, alias=alias, flag=flag))
                if {holding.optimizer for holding in other.row.optimizers} - {
                    holding.optimizer for holding in entry.row.optimizers
                }:
                    self._models.tell(HeldByAlias(tensor=entry.row.id, other=other.row.id))
