"""Weights that a script puts into layers: from files, or from arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.writes import Writes


class WeightLoading:
    """Has weights looked at around ``Layer.set_weights`` and ``Model.load_weights``.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writes = Writes(context)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        dialect = self._context.dialect
        return [
            self._context.wrap(dialect.model_type, "load_weights", self._load_weights),
            self._context.wrap(dialect.layer_type, "set_weights", self._set_weights),
        ]

    def _set_weights(self, original: Callable[..., Any], layer: Any, weights: Any) -> Any:
        with self._writes.writing(layer, lambda: layer.weights, "set_weights"):
            return original(layer, weights)

    def _load_weights(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        with self._writes.writing(model, lambda: model.weights, "load_weights"):
            return original(model, *args, **kwargs)
