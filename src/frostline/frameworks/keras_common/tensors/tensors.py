"""One variable of a Keras model as a live tensor."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from frostline.core.ledger import Gradient, TensorRow
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.observe.protocols import Unreadable

LOOSE = "variables"  # the model of what is in none
GradientOf = Callable[[Any], tuple[Gradient, bytes | None]]


class NamedVariable:
    """A variable under the name of its place in a model; only weak references are held.

    Args:
        key: what the observer calls it.
        row: its row of the ledger.
        variable: the live variable.
        chain: the layers from the model down to the owner.
        dialect: reads the bytes.
        gradient: tells what is known of the gradient of a variable.
    """

    __slots__ = ("_chain", "_dialect", "_gradient", "_road", "_roads", "_variable", "key", "row")

    def __init__(
        self,
        key: Hashable,
        row: TensorRow,
        variable: Any,
        chain: tuple[Any, ...],
        dialect: Dialect,
        gradient: GradientOf,
    ) -> None:
        self.key = key
        self.row = row
        self._dialect = dialect
        self._gradient = gradient
        self.carry(variable, chain)

    def carry(self, variable: Any, chain: tuple[Any, ...], roads: Iterable[tuple[Any, ...]] = ()) -> None:
        """From now on ``variable`` goes by this tensor's name; ``roads`` are the chains to it from all models."""
        self._variable = weakref.ref(variable)
        self._chain = _held_weakly(chain)
        self._road: tuple[weakref.ref[Any], ...] | None = self._chain
        self._roads = [_held_weakly(road) for road in roads]

    def follow(self, root: Any) -> None:
        """Judge the flag by the road from this model; where none leads here it stays what it was last seen to be."""
        roads = (road for road in self._roads if road[0]() is root)
        self._road = self._chain if root is None else next(roads, None)

    @property
    def variable(self) -> Any:
        """The variable that carries the name now; None when it was freed."""
        return self._variable()

    @property
    def chain(self) -> tuple[Any, ...]:
        """The layers from the model down to the owner that are still alive."""
        return tuple(layer for reference in self._chain if (layer := reference()) is not None)

    @property
    def road(self) -> tuple[Any, ...]:
        """The layers by whose flags the tensor is judged now; none where it keeps those seen before."""
        return tuple(layer for reference in self._road or () if (layer := reference()) is not None)

    @property
    def is_of_nobody(self) -> bool:
        """Whether a step reads it and no model has it, though a layer does."""
        return not self.row.registered and self.row.model == LOOSE and bool(self.row.owner.type)

    def flag(self) -> bool | None:
        """The declared flag now; None for a buffer, the last one seen where the variable was freed."""
        if self.row.kind == "buffer":
            return None
        variable = self._variable()
        if variable is None or self._road is None:
            return self.row.declared.trainable
        return self._dialect.flag(variable, self._road)

    def flag_in_step(self) -> bool | None:
        """The flag with which the step under way is made."""
        variable = self._variable()
        return None if variable is None else self._dialect.flag_in_step(variable, self._road or self._chain)

    def read(self) -> Any:
        """See LiveTensor."""
        variable = self._variable()
        if variable is None:
            raise Unreadable("the variable was freed before it could be read again")
        return self._dialect.read(variable)

    def part(self, start: int, stop: int) -> bytes:
        """See LiveTensor."""
        return bytes(memoryview(self.read()).cast("B")[start:stop])

    def gradient(self) -> Gradient:
        """See LiveTensor."""
        variable = self._variable()
        return "unknown" if variable is None else self._gradient(variable)[0]


def _held_weakly(chain: tuple[Any, ...]) -> tuple[weakref.ref[Any], ...]:
    return tuple(weakref.ref(layer) for layer in chain)
