"""Layers that say that they are frozen, around weights that are trainable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from frostline.core.facts import Fact, FlagSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import layers_below
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable


class FrozenContainers:
    """Tells, just before steps that are checks, which layers around a trainable tensor say that it is frozen.

    A layer may stand around it in another model than the one that is trained, whose graph then goes past the layer.

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
        elsewhere = self._frozen_elsewhere()
        for entry in self._context.models.tensors:
            if entry.row.kind == "buffer" or not entry.flag() or self._is_chosen_singly(entry):
                continue
            silent = [layer for layer in entry.chain if not self._dialect.says(layer)]
            nearest = silent[-1] if silent else elsewhere.get(id(entry.variable))
            if nearest is not None:
                container = str(nearest.name)
                if (container, False) != (entry.row.declared.container, entry.row.declared.container_flag):
                    seen = FlagSeen(tensors=(entry.row.id,), container=container, container_flag=False)
                    self._context.tell(seen)

    def _frozen_elsewhere(self) -> Mapping[int, Any]:
        """By the identity of a variable, the nearest layer around it that says frozen, in any model that is known."""
        found: dict[int, Any] = {}
        if self._dialect.flag_by_road:  # there a model decides for itself alone
            return found
        for model in filter(None, (known.model for known in self._context.models.known)):
            for _, chain in layers_below(model, self._dialect):
                silent = [layer for layer in chain if not self._dialect.says(layer)]
                for variable in self._dialect.own(chain[-1])[0] if silent else ():
                    found.setdefault(id(variable), silent[-1])
        return found

    def _is_chosen_singly(self, entry: NamedVariable) -> bool:
        chain = entry.chain
        if not chain or not self._dialect.says(chain[-1]):
            return False
        beside = (self._context.models.of(variable) for variable in self._dialect.own(chain[-1])[0])
        return any(other is not None and other.flag() is False for other in beside)
