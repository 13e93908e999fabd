"""Training loops of the script's own around a ``jax.jit``: each call is a step, the trace tells whose.

Such a step is handed the weights and hands back new ones; the script puts them into the model later, often only when
the loop is over. So a step ends where the next one begins, or at the end of the run.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import wrapt

from frostline.core.facts import Fact
from frostline.frameworks.claims import claim
from frostline.frameworks.keras.jitted import Jitted
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.patching import put


class JitCalls:
    """Is told of every call, from outside any step, of what ``jax.jit`` compiles from now on.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context, self._steps = context, context.steps
        jax = sys.modules["jax"]
        self._gradients = (jax.grad, jax.value_and_grad)
        self._jitted: list[Jitted] = []  # in some of them a Keras optimizer steps

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        jax = sys.modules["jax"]
        original = jax.jit

        @functools.wraps(original)
        def jit(*args: Any, **kwargs: Any) -> Any:
            return self._observed(original(*args, **kwargs))

        return [put(jax, "jit", jit), claim(self._is_keras)]

    def _is_keras(self, value: Any) -> bool:
        if any(value is each for each in self._gradients):  # whose: a Keras optimizer's, where there is one
            return bool(self._context.recorder.optimizers)
        return any(each.source is not None and each.is_made_of(value) for each in self._jitted)

    def _observed(self, made: Any) -> Any:
        if not hasattr(made, "lower"):  # called with options alone, jit returns a decorator
            return lambda function: self._observed(made(function))
        jitted = Jitted(str(getattr(made, "__name__", "jax.jit")), made)
        self._jitted.append(jitted)

        def call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            steps = self._steps
            if self._context.closed or steps.function is not None or steps.running is not steps.loose:
                return wrapped(*args, **kwargs)
            steps.function = jitted
            try:
                if (source := jitted.source) is not None:
                    steps.loose_step(lambda: source)
                return wrapped(*args, **kwargs)
            finally:
                steps.function = None

        return wrapt.FunctionWrapper(made, call)
