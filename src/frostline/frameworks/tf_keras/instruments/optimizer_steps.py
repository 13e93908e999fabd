"""Gradients that the optimizers of Keras 2 are given to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import tf_keras

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors import tensorflow_bytes


class OptimizerSteps:
    """Tells the step under way what ``Optimizer.apply_gradients`` trains; called by the script, that is a step itself.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps, self._optimizers = context.steps, context.optimizers

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        kinds = (tf_keras.optimizers.Optimizer, tf_keras.optimizers.legacy.Optimizer)
        return [self._context.wrap(kind, "apply_gradients", self._apply) for kind in kinds]

    def _apply(
        self, original: Callable[..., Any], optimizer: Any, grads_and_vars: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Around ``Optimizer.apply_gradients``."""
        pairs = list(grads_and_vars)
        if self._is_part_of_a_step():
            return self._applied(original, optimizer, pairs, *args, **kwargs)
        variables = [variable for _, variable in pairs]
        with self._steps.step(lambda: self._optimizers.of_optimizer(optimizer, variables)):
            return self._applied(original, optimizer, pairs, *args, **kwargs)

    def _is_part_of_a_step(self) -> bool:
        if self._steps.running is not None:
            return True
        if tensorflow_bytes.in_graph():
            self._context.publish("a function is traced", self._context.signals.optimizer_traced)
            return True
        return False

    def _applied(
        self, original: Callable[..., Any], optimizer: Any, pairs: list[tuple[Any, Any]], *args: Any, **kwargs: Any
    ) -> Any:
        gradients, variables = [each for each, _ in pairs], [each for _, each in pairs]
        self._context.quietly("gradients are applied", lambda: self._steps.applied(optimizer, variables, gradients))
        with self._steps.apply():
            return original(optimizer, pairs, *args, **kwargs)
