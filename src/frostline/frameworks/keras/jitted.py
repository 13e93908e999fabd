"""Functions that a script compiles with ``jax.jit``, and what steps in them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import wrapt

from frostline.frameworks.keras.optimizer_api import worker
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source


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


def by_position(optimizer: Any, built: list[Any], order: list[Any]) -> Capture:
    """What an optimizer holds that was built for some variables and is handed state in an order of its own."""
    return Capture(
        flags={id(variable): None for variable in order},
        optimizers={id(variable): weakref.ref(worker(optimizer, variable)) for variable in order},
        states={id(variable): owner for variable, owner in zip(order, built, strict=False) if owner is not variable},
    )
