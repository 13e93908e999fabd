"""Optimizers of Keras 3 that divide gradients by the scale of a loss, and whether a loss was ever multiplied by it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import keras

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Source


class LossScaling:
    """Notes for which optimizers ``scale_loss`` was called, at least while a step was traced.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scaled: weakref.WeakSet[Any] = weakref.WeakSet()
        self._dividing: weakref.WeakSet[Any] = weakref.WeakSet()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.training_ended.append(self._settle)
        wrap, scaling = self._context.wrap, keras.optimizers.LossScaleOptimizer
        return [
            wrap(scaling, "scale_loss", self._noting(self._scaled)),
            *(wrap(scaling, name, self._noting(self._dividing)) for name in ("apply", "stateless_apply")),
        ]

    @staticmethod
    def _noting(optimizers: weakref.WeakSet[Any]) -> Callable[..., Any]:
        def called(original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            optimizers.add(optimizer)
            return original(optimizer, *args, **kwargs)

        return called

    def _settle(self) -> None:
        for optimizer in self._dividing:
            source = self._source(optimizer) if optimizer not in self._scaled else None
            if source is not None:
                self._context.tell(OptimizerSeen(optimizer=str(source.key), loss_scaled=False, gradients_unscaled=True))

    def _source(self, optimizer: Any) -> Source | None:
        """What is known of as the optimizer: itself, or the train step of its model."""
        known = self._context.optimizers.known(optimizer)
        sources = self._context.optimizers.sources.values()
        return known or next((each for each in sources if any(own is optimizer for own in each.optimizers())), None)
