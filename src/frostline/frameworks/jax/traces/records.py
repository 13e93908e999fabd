"""What hooks see while a function is traced: values are given as variables of its jaxpr, constants as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jax.core import Tracer

from frostline.core.events.fact import Origin
from frostline.frameworks.jax.tensors.paths import Path

LAYERS = 16  # of transformations around one value


def variable_of(value: Any) -> Any:
    """The variable of the jaxpr behind a tracer, seen through differentiation and batching; anything else as it is."""
    for _ in range(LAYERS):
        if not isinstance(value, Tracer):
            return value
        value = next((inner for name in ("val", "primal") if (inner := getattr(value, name, None)) is not None), None)
    return None


@dataclass(slots=True)
class Update:
    """One tensor that an update was applied to: its value, what was added, the sum, and the gradient where known."""

    path: Path
    value: Any
    update: Any
    result: Any
    gradient: Any = None


@dataclass(slots=True)
class Applied:
    """Updates were applied to a tree of weights; ``zeroed`` and ``masked`` are paths below it.

    ``zeroed`` are those that ``set_to_zero`` was given, ``masked`` those that a mask left out, ``optimizer`` is the
    name of the factory that made the updates, ``line`` that of the script which applied them, ``made`` the one that
    made the optimizer.
    """

    optimizer: str
    updates: list[Update]
    zeroed: set[Path] = field(default_factory=set)
    masked: set[Path] = field(default_factory=set)
    line: Origin | None = None
    made: Origin | None = None


@dataclass(slots=True)
class Differentiated:
    """A loss was differentiated with respect to these: path, value and gradient; at which line of the script.

    ``by_all``: with respect to all that it is a function of, data among it; ``first``: these are its first argument.
    """

    gradients: list[tuple[Path, Any, Any]]
    line: Origin | None = None
    by_all: bool = False
    first: bool = False


@dataclass(slots=True)
class StateGiven:
    """The state that an optimizer was handed."""

    values: list[Any]


@dataclass(slots=True)
class Stopped:
    """``stop_gradient`` was put around these values."""

    values: list[Any]


@dataclass(slots=True)
class Chosen:
    """A filter chose which values are trained (True) and which are not."""

    values: list[tuple[Any, bool]]


Record: TypeAlias = Applied | Differentiated | StateGiven | Stopped | Chosen
