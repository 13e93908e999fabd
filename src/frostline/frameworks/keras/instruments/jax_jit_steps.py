"""Training loops of the script's own around a ``jax.jit``: each call is a step, the trace tells whose.

Such a step is handed the weights and hands back new ones; the script puts them into the model later, often only when
the loop is over. So a step ends where the next one begins, or at the end of the run.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import Any

import wrapt

from frostline.frameworks.claims import claim
from frostline.frameworks.keras_common.optimizers.captured_step import Source
from frostline.frameworks.keras_common.probe import KerasProbe
from frostline.frameworks.patching import put


@dataclass(slots=True)
class Jitted:
    """One function that the script compiled, and the optimizer whose step it was seen to be while it was traced."""

    name: str
    made: Any
    source: Source | None = None

    def is_made_of(self, compiled: Any) -> bool:
        """Whether this is what ``jax.jit`` made, whoever put something around it."""
        return _bare(self.made) is _bare(compiled)


def _bare(compiled: Any) -> Any:
    while isinstance(compiled, wrapt.FunctionWrapper):
        compiled = compiled.__wrapped__
    return compiled


def watch_jitted(probe: KerasProbe) -> None:
    """Be told of every call, from outside any step, of what ``jax.jit`` compiles from now on."""
    jax = sys.modules["jax"]
    original, gradients = jax.jit, (jax.grad, jax.value_and_grad)
    steps: list[Jitted] = []  # functions in which a Keras optimizer steps

    @functools.wraps(original)
    def jit(*args: Any, **kwargs: Any) -> Any:
        return _observed(probe, original(*args, **kwargs), steps)

    def is_keras(value: Any) -> bool:
        if any(value is each for each in gradients):  # whose gradients: a Keras optimizer's, where there is one
            return bool(probe.observer.optimizers)
        return any(each.source is not None and each.is_made_of(value) for each in steps)

    probe.removers.append(put(jax, "jit", jit))
    probe.removers.append(claim(is_keras))


def _observed(probe: KerasProbe, made: Any, steps: list[Jitted]) -> Any:
    if not hasattr(made, "lower"):  # called with options alone, jit returns a decorator
        return lambda function: _observed(probe, made(function), steps)
    jitted = Jitted(str(getattr(made, "__name__", "jax.jit")), made)
    steps.append(jitted)

    def call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        if probe.closed or probe.function is not None or probe.running is not probe.loose:
            return wrapped(*args, **kwargs)
        probe.function = jitted
        try:
            if (source := jitted.source) is not None:
                probe.loose_step(lambda: source)
            return wrapped(*args, **kwargs)
        finally:
            probe.function = None

    return wrapt.FunctionWrapper(made, call)
