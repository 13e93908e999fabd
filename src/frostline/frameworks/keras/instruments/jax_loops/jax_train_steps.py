"""The steps of ``fit`` and ``train_on_batch`` on jax, where the weights live outside their variables meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.keras.jitted import by_position
from frostline.frameworks.keras.keras_api import Keras3
from frostline.frameworks.keras.optimizer_api import inner
from frostline.frameworks.keras.readers import JaxReader
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source
from frostline.frameworks.keras_common.train_functions import TrainFunctions


class JaxTrainSteps:
    """Announces each call of a model's train function as a step, and says where the weights are in it.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        assert isinstance(context.dialect, Keras3)
        assert isinstance(context.dialect.reader, JaxReader)
        self._reader = context.dialect.reader

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [
            TrainFunctions(self._context, self._step).watch(),
            self._context.wrap(self._context.dialect.model_type, "_get_jax_state", self._get_jax_state),
        ]

    def _get_jax_state(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``JAXTrainer._get_jax_state``: from here on the weights live in what it returns."""
        if kwargs.get("optimizer_variables"):
            self._context.quietly("a state was made", lambda: self._reader.lay_out(model))
        return original(model, *args, **kwargs)

    def _step(self, function: Callable[..., Any], reference: Callable[[], Any], state: Any, iterator: Any) -> Any:
        model, context, reader = reference(), self._context, self._reader
        context.quietly("before a step", lambda: reader.enter(model, state))
        try:
            with context.steps.train_step(model, lambda: self._source(model)):
                logs, state = function(state, iterator)
                context.quietly("after a step", lambda: reader.enter(model, state))
            return logs, state
        finally:
            reader.leave()

    def _source(self, model: Any) -> Source:
        """The optimizer of a model whose state is handed over: what it holds and with whose state is told by order."""
        source = self._context.optimizers.of_model(model, "positional")
        order, optimizer = self._reader.order(model), model.optimizer
        built = list(inner(optimizer)._trainable_variables) if optimizer is not None else []
        source.capture = by_position(optimizer, built, order) if optimizer is not None else Capture()
        return source
