"""Gradients that a loop of the script asks of a tape, and that no optimizer is ever given."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.alive import alive
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, holds


class UnappliedGradients:
    """Counts, as long as nothing steps, how often gradients of weights were asked for.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._models, self._optimizers = context.models, context.optimizers
        self._passes = 0
        self._functions: weakref.WeakSet[Any] = weakref.WeakSet()
        self._sources: dict[int, weakref.ref[Any]] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.function_called.append(self._called)
        signals.training_ended.append(self._settle)
        return [self._context.wrap(sys.modules["tensorflow"].GradientTape, "gradient", self._gradient)]

    def _gradient(self, original: Callable[..., Any], tape: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._optimizers.sources and self._context.steps.running is None:
            sources = args[0] if args else kwargs.get("sources")
            self._context.quietly("gradients are asked for", lambda: self._note(sources))
        return original(tape, target, *args, **kwargs)

    def _called(self, function: Any) -> None:
        """A function that the script compiled was called: each time it asks as it did while it was traced."""
        if function in self._functions:
            self._passes += 1

    def _note(self, sources: Any) -> None:
        tensorflow, models = sys.modules["tensorflow"], self._models
        variables = [each for each in tensorflow.nest.flatten(sources) if hasattr(each, "assign")]
        fresh = [each for each in variables if id(each) not in self._sources]
        models.meet_owners([each for each in fresh if models.of(each) is None])
        self._sources |= {id(each): weakref.ref(each) for each in fresh}
        if not any(models.of(each) for each in variables):
            return
        if tensorflow.executing_eagerly():
            self._passes += 1
        elif self._context.steps.function is not None:
            self._functions.add(self._context.steps.function)

    def _settle(self) -> None:
        """Where nothing ever stepped: an optimizer that waits for the gradients that were asked for is told as such."""
        known = [each for reference in self._sources.values() if (each := reference()) is not None]
        weights = [each for each in known if self._models.of(each) is not None]
        optimizer = self._idle_optimizer() if weights and not self._optimizers.sources else None
        if optimizer is None:
            return
        source = self._optimizers.of_optimizer(optimizer)
        source.mode = "traced"
        references = {id(weight): weakref.ref(optimizer) for weight in weights}
        source.capture = Capture(flags=dict.fromkeys(references), optimizers=references)
        self._context.tell(OptimizerSeen(optimizer=str(source.key), backwards=self._passes))
        recorder = self._context.recorder
        recorder.holdings.note(recorder.optimizers[source.key], holds(source, self._models, self._context.dialect))

    def _idle_optimizer(self) -> Any:
        """One that the script made for a loop of its own, and that never applied anything."""
        dialect = self._context.dialect
        compiled = [getattr(model, "optimizer", None) for model in alive(dialect.model_type)]
        taken = {id(each) for optimizer in compiled for each in (optimizer, dialect.optimizers.inner(optimizer))}
        idle = [
            each
            for each in alive(dialect.optimizer_type)
            if id(each) not in taken and not dialect.optimizers.iterations(each)
        ]
        return next(iter(idle), None)
