"""Gradients that the optimizers of Keras 3 are given to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors import tensorflow_bytes


class OptimizerSteps:
    """Tells the step under way what ``Optimizer.apply`` trains; called by the script, that is a step of its own.

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
        return [self._context.wrap(kind, "apply", self._apply) for kind in kinds]

    def _apply(self, original: Callable[..., Any], optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        """Around ``Optimizer.apply``."""
        given = None if trainable_variables is None else list(trainable_variables)
        variables = list(optimizer._trainable_variables) if given is None else given
        if self._is_part_of_a_step():
            return self._applied(original, optimizer, grads, variables, given)
        with self._steps.step(lambda: self._optimizers.of_optimizer(optimizer, variables)):
            return self._applied(original, optimizer, grads, variables, given)

    def _is_part_of_a_step(self) -> bool:
        if self._steps.running is not None and self._steps.running is not self._steps.loose:
            return True
        if self._context.dialect.backend == "tensorflow" and tensorflow_bytes.in_graph():
            self._context.publish("a function is traced", self._context.signals.optimizer_traced)
            return True
        return bool(in_stateless_scope())

    def _applied(
        self, original: Callable[..., Any], optimizer: Any, grads: Any, variables: list[Any], given: list[Any] | None
    ) -> Any:
        if not in_stateless_scope():
            self._context.quietly(
                "gradients are applied", lambda: self._steps.applied(optimizer, variables, list(grads))
            )
        with self._steps.apply():
            return original(optimizer, grads, given)
