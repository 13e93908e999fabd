"""The train functions that models make, each of whose calls is a step."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.optimizers.captured_step import Capture


class TrainFunctions:
    """Puts a step around every train function that a model makes.

    Args:
        context: what all instruments share.
        step: is called in the place of a train function, with that, a weak reference to its model, and the arguments.
    """

    def __init__(self, context: Context, step: Callable[..., Any]) -> None:
        self._context = context
        self._dialect = context.dialect
        self._step = step

    def watch(self) -> Callable[[], None]:
        """Be told of every train function from now on; returns what ends that."""
        return self._context.wrap(self._dialect.model_type, "make_train_function", self._made)

    def _made(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.make_train_function``: the new train function tells when it begins and ends."""
        before = model.train_function
        result = original(model, *args, **kwargs)
        self._context.quietly("a train function was made", lambda: self._put_around(model, before))
        return result if result is None else model.train_function

    def _put_around(self, model: Any, before: Any) -> None:
        function = model.train_function
        if function is None or getattr(function, "observed_by", None) is self._context:
            return
        self._renew(model, traced_before=function is before and self._dialect.mode(model) == "traced")
        observed = functools.partial(self._step, function, weakref.ref(model))
        observed.observed_by = self._context  # type: ignore[attr-defined]
        model.train_function = observed

    def _renew(self, model: Any, *, traced_before: bool) -> None:
        """A train function is wrapped: a new one tells what it captures when it runs first.

        One that was traced before frostline looked has told nobody; it is taken to train what its optimizer was built
        for.
        """
        optimizers, dialect = self._context.optimizers, self._dialect
        source = optimizers.known(model)
        if source is not None:
            source.capture = None
        optimizer = getattr(model, "optimizer", None)
        built: list[Any] = []
        if traced_before and optimizer is not None:
            built = list(dialect.optimizers.built_for(optimizer, model.weights) or model.trainable_weights)
        if built:
            source = optimizers.of_model(model, "traced")
            references = {id(variable): weakref.ref(optimizer) for variable in built}
            source.capture = Capture(flags=dict.fromkeys(references, True), optimizers=references)
