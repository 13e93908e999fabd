"""Layers that say that they are frozen, around weights that are trainable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, FlagSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable


class FrozenContainers:
    """Tells, just before steps that are checks, which layers around a trainable tensor say that it is frozen.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._dialect = context.dialect

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.refreshed.append(self._look)
        return []

    def _look(self) -> None:
        """Where a layer's own variables differ, as an adapter's from the kernel under it, they were chosen singly."""
        if self._context.steps.running is None:
            return
        for entry in self._context.models.tensors:
            if entry.row.kind == "buffer" or not entry.flag() or self._is_chosen_singly(entry):
                continue
            silent = [layer for layer in entry.chain if not self._dialect.says(layer)]
            if silent:
                container = str(silent[-1].name)
                if (container, False) != (entry.row.declared.container, entry.row.declared.container_flag):
                    seen = FlagSeen(tensors=(entry.row.id,), container=container, container_flag=False)
                    self._context.tell(seen)

    def _is_chosen_singly(self, entry: NamedVariable) -> bool:
        chain = entry.chain
        if not chain or not self._dialect.says(chain[-1]):
            return False
        beside = (self._context.models.of(variable) for variable in self._dialect.own(chain[-1])[0])
        return any(other is not None and other.flag() is False for other in beside)
