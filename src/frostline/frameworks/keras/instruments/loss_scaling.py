"""Optimizers of Keras 3 that divide gradients by the scale of a loss, and whether a loss was ever multiplied by it."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, TypeAlias

import keras

from frostline.core.facts import Fact, OptimizerSeen
from frostline.digest.shift import distance
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Source
from frostline.observe.protocols import Unreadable

MEASURED = 16  # weights of an optimizer
Weight: TypeAlias = tuple[weakref.ref[Any], bytes]  # with the bytes that it had before the first step


class LossScaling:
    """Notes for which optimizers ``scale_loss`` was called, at least while a step was traced.

    Of others it measures how far all steps moved the weights: the script may multiply the loss in a way of its own.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scaled: weakref.WeakSet[Any] = weakref.WeakSet()
        self._begun: weakref.WeakKeyDictionary[Any, list[Weight]] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.training_ended.append(self._settle)
        wrap, scaling = self._context.wrap, keras.optimizers.LossScaleOptimizer
        return [
            wrap(scaling, "scale_loss", self._scale_loss),
            *(wrap(scaling, name, self._apply) for name in ("apply", "stateless_apply")),
        ]

    def _scale_loss(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        self._scaled.add(optimizer)
        return original(optimizer, *args, **kwargs)

    def _apply(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        if optimizer not in self._scaled and optimizer not in self._begun:
            self._context.quietly("gradients are divided by a scale", lambda: self._begin(optimizer, *args[1:2]))
        return original(optimizer, *args, **kwargs)

    def _begin(self, optimizer: Any, given: Iterable[Any] | None = None) -> None:
        variables = [each for each in given or () if isinstance(each, keras.Variable)] or optimizer._trainable_variables
        self._begun[optimizer] = []
        for variable in [each for each in variables if len(each.shape) > 1][:MEASURED]:
            with contextlib.suppress(Unreadable):
                before = bytes(self._context.dialect.read(variable))
                self._begun[optimizer].append((weakref.ref(variable), before))

    def _settle(self) -> None:
        for optimizer, weights in self._begun.items():
            source = self._source(optimizer) if optimizer not in self._scaled else None
            shares = list(self._shares(weights))
            if source is not None and shares:
                row = self._context.recorder.optimizers[source.key]
                seen = OptimizerSeen(
                    optimizer=row.id, loss_scaled=False, gradients_unscaled=True, moved_share=max(shares)
                )
                self._context.tell(seen)

    def _shares(self, weights: Iterable[Weight]) -> Iterator[float]:
        """How far weights are from what they were, by their size."""
        for reference, before in weights:
            variable = reference()
            if variable is not None:
                with contextlib.suppress(Unreadable):
                    yield distance(self._context.dialect.read(variable), before, str(variable.dtype))

    def _source(self, optimizer: Any) -> Source | None:
        """What is known of as the optimizer: itself, or the train step of its model."""
        known = self._context.optimizers.known(optimizer)
        sources = self._context.optimizers.sources.values()
        return known or next((each for each in sources if any(own is optimizer for own in each.optimizers())), None)
