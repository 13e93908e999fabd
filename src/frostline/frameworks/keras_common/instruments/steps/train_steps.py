"""The steps of ``fit`` and ``train_on_batch``, on backends whose variables hold the weights all the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.train_functions import TrainFunctions


class TrainSteps:
    """Announces each call of a model's train function as a step.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [TrainFunctions(self._context, self._step).watch()]

    def _step(self, function: Callable[..., Any], reference: Callable[[], Any], *args: Any) -> Any:
        model, context = reference(), self._context
        mode = context.dialect.mode
        with context.steps.train_step(model, lambda: context.optimizers.of_model(model, mode(model))):
            return function(*args)
