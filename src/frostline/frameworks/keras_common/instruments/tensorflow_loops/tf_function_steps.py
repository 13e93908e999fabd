"""Training loops of the script's own inside a ``tf.function``: the call is the step, the trace tells what it trains."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors.tensorflow_bytes import function_type


class TfFunctionSteps:
    """Is told of every call of a compiled function from outside any step, and of optimizers that are traced in it.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps, self._optimizers = context.steps, context.optimizers
        self._call: contextlib.ExitStack | None = None

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.optimizer_traced.append(self._begin)
        return [self._context.wrap(function_type(), "__call__", self._called)]

    def _called(self, original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        steps = self._steps
        if self._context.closed or steps.running is not None or steps.function is not None:
            return original(function, *args, **kwargs)
        steps.function = function
        source = self._optimizers.known(function)
        try:
            with contextlib.ExitStack() as call:
                self._call = call
                if source is not None:
                    call.enter_context(steps.step(lambda: source))
                return original(function, *args, **kwargs)
        finally:
            self._context.publish("a function was called", self._context.signals.function_called, function)
            steps.function = self._call = None

    def _begin(self) -> None:
        """An optimizer is met while a function of the script is traced: the call under way is a step from here on."""
        function, call = self._steps.function, self._call
        if function is None or call is None or self._steps.running is not None:
            return
        name = str(getattr(getattr(function, "python_function", None), "__name__", "tf.function"))
        call.enter_context(self._steps.step(lambda: self._optimizers.of_function(function, name)))
