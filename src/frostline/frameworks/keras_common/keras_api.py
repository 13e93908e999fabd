"""How one generation of Keras spells what both have: its layers, its flags, its optimizers, its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol

from frostline.core.ledger import Gradient

Mode = Literal["traced", "eager", "positional"]


class OptimizerApi(Protocol):
    """The optimizers of one generation of Keras; every method reads and none writes."""

    def built_for(self, optimizer: Any, variables: Sequence[Any]) -> Sequence[Any]:
        """Those of the variables that the optimizer has been built for."""

    def inner(self, optimizer: Any) -> Any:
        """The optimizer that does the work inside a wrapper that scales the loss."""

    def part(self, optimizer: Any, variable: Any) -> int:
        """The number of the optimizer's own group that has the variable; 0 where it has no groups."""

    def rate(self, optimizer: Any, part: int = 0) -> float | None:
        """The learning rate now, of one of its own groups where it has some."""

    def iterations(self, optimizer: Any) -> int:
        """How many steps the optimizer has counted; 0 where that cannot be read."""

    def window(self, optimizer: Any) -> int:
        """Over how many of its steps the optimizer accumulates gradients before it applies them."""

    def waiting(self, optimizer: Any, variable: Any) -> Any:
        """The optimizer's own variable with the gradients that it has accumulated for ``variable``, if it does so."""

    def decay(self, optimizer: Any, variable: Any) -> float | None:
        """The weight decay that the optimizer applies to the variable."""

    def slots(self, optimizer: Any, variable: Any) -> Sequence[Any]:
        """The optimizer's own variables that belong to ``variable``: its moments."""

    def averages(self, optimizer: Any) -> Sequence[tuple[Any, Any]]:
        """Pairs of a model's variable and the average that the optimizer keeps of it, as they were built."""

    def overwrites(self, optimizer: Any) -> bool:
        """Whether the optimizer's steps write the averages back from time to time."""


class Dialect(Protocol):
    """One generation of Keras on one backend; every method reads and none writes.

    ``flag_by_road`` says that a variable's flag depends on the model through which one comes to it, ``assigning`` are
    the classes and names of the methods that assign to variables, and ``called_in_making`` is a method of layers that
    each calls while it is made: Keras reads the signature of ``__init__``, which is left as it is.
    """

    package: str
    backend: str
    flag_by_road: bool
    layer_type: type
    called_in_making: str
    model_type: type
    optimizer_type: type
    assigning: Sequence[tuple[type, str]]
    optimizers: OptimizerApi

    def mode(self, model: Any) -> Mode:
        """How the model's train step runs: traced once, or anew each time."""

    def summarised(self, model: Any) -> Sequence[Any] | None:
        """The variables of the model's optimizer that a summary counts; None where it does not speak of them."""

    def children(self, layer: Any) -> Sequence[Any]:
        """The layers directly inside ``layer``."""

    def own(self, layer: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """The variables that are the layer's own: those made to be trained, and the others."""

    def extras(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """Named tensors that live in a layer and are none of its variables, such as a wrapped module's buffers."""

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """The backend's own trainable variables that hang on a layer by an attribute and that it does not track."""

    def says(self, layer: Any) -> bool:
        """The flag of one layer as the user set it."""

    def flag(self, variable: Any, chain: Sequence[Callable[[], Any]]) -> bool:
        """Whether a variable is declared trainable; ``chain`` gives the layers from the model down to its owner."""

    def flag_in_step(self, variable: Any, chain: Sequence[Callable[[], Any]]) -> bool:
        """The flag with which the step under way is made; Keras 2 goes by those of compile()."""

    def tensor_name(self, variable: Any) -> str:
        """The variable's name inside its layer."""

    def dtype(self, variable: Any) -> str:
        """The name of the variable's type, such as ``bfloat16``."""

    def read(self, variable: Any) -> Any:
        """The variable's live bytes as a buffer; Unreadable with the reason."""

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """What is known of the variable's gradient outside a step, and its bytes where they can be had."""

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """Whether a gradient handed to an optimizer is zero; unknown while a step is being traced."""
