"""Optimizers whose ``stateless_apply`` a script calls, itself or in a function that it compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import keras

from frostline.core.facts import Fact
from frostline.frameworks.keras.jitted import Jitted, by_position
from frostline.frameworks.keras.optimizer_api import inner
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source


class StatelessSteps:
    """Begins steps whose end shows later; traced in a compiled function, every call of that is a step.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps, self._optimizers = context.steps, context.optimizers

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        kinds = (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer)
        return [self._context.wrap(kind, "stateless_apply", self._apply) for kind in kinds]

    def _apply(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``stateless_apply``."""
        steps, jitted = self._steps, self._steps.function
        counted = jitted is not None and jitted.source is not None
        if not steps.applying and steps.running is steps.loose and not counted:
            steps.loose_step(lambda: self._source(optimizer, jitted))
            if jitted is not None:
                jitted.source = steps.loose
        elif not steps.applying and counted and steps.running is jitted.source:
            self._context.quietly("a further optimizer steps", lambda: self._join(jitted.source, optimizer))
        with steps.apply():
            return original(optimizer, *args, **kwargs)

    def _source(self, optimizer: Any, jitted: Jitted | None) -> Source:
        variables = list(inner(optimizer)._trainable_variables)
        self._context.models.meet_variables(variables)
        self._context.publish("a step without an end begins", self._context.signals.loose_step_began)
        optimizers = self._optimizers
        source = optimizers.of_jitted(optimizer, jitted.name) if jitted else optimizers.of_optimizer(optimizer)
        source.mode = "positional"
        source.capture = by_position(optimizer, variables, variables)
        source.uncounted = True
        return source

    def _join(self, source: Source, optimizer: Any) -> None:
        """A function with several optimizers, as of adversarial networks, is one optimizer with what each trains."""
        known = source.capture or Capture()
        if any(each is optimizer for each in source.optimizers()):
            return
        variables = list(inner(optimizer)._trainable_variables)
        self._context.models.meet_variables(variables)
        self._optimizers.joined(optimizer, source)
        added = by_position(optimizer, variables, variables)
        known.flags |= added.flags
        known.optimizers |= added.optimizers
        source.capture = known
        source.tally.begin(source, self._context.dialect)
        self._context.recorder.update_holdings(source.key)
