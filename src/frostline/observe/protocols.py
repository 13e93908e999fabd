"""What a probe hands to the observer: live tensors that can be read, and optimizers that can say what they hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from frostline.core.ledger import Gradient, TensorRow
from frostline.digest.blocks import Digest


class Unreadable(Exception):
    """The bytes of a tensor cannot be had; the text is the reason that is printed."""


class NotNow(Unreadable):
    """The bytes of a tensor are somewhere else for the time being: handed to a step whose result is not back yet."""


class LiveTensor(Protocol):
    """One tensor of a running framework; the observer calls these at checks, never in between."""

    key: Hashable
    row: TensorRow

    def read(self) -> Any:
        """The tensor's bytes now, in C order, as an object with the buffer protocol; Unreadable with the reason."""

    def part(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop) of those; on an accelerator no more than these come to the host."""

    def gradient(self) -> Gradient:
        """Whether the gradient is missing, exactly zero, or not."""


@dataclass(slots=True)
class Hold:
    """How an optimizer holds a tensor at this moment, as the probe reads it off the framework.

    ``copied`` says that the optimizer keeps a copy of the tensor (an average) and may write it back; ``inside`` that
    the gradient is made in the step itself, so that before it there is none to see; ``fills_gaps`` that the optimizer
    takes a missing gradient for zeros.
    """

    group: int | None = None
    listed: bool = True
    captured: bool | None = None
    lr: float | None = None
    weight_decay: float | None = None
    state: bool | None = None
    state_of: str | None = None
    copied: bool = False
    inside: bool = False
    fills_gaps: bool = False


@dataclass(slots=True)
class MaskedGradient:
    """A gradient of which something may have been taken away between autograd and the step.

    ``made`` says for each element whether autograd made it non-zero, ``left`` whether it is so now; ``how`` says what
    stands between the two.
    """

    made: Any
    left: Any
    how: str


class Probe(Protocol):
    """One framework under observation."""

    name: str

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        """The present digests, by tensor key, of those tensors whose accelerator makes them; the rest is read here."""

    def flags(self, *, whole: bool) -> list[bool | None] | None:
        """The declared flag of every adopted tensor, in the order of adoption; called before every step.

        A probe that is told of writes may say None, unless ``whole`` is asked for: nothing was written to.
        """

    def refresh(self) -> None:
        """Look for tensors that are new, replaced, tied or untied; called at checks."""

    def holds(self, optimizer: Hashable) -> dict[Hashable, Hold]:
        """The tensors an optimizer holds, by tensor key."""

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        """The largest update the optimizer's last step can have made to the tensor, in units in the last place."""

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool | None:
        """Whether the gradient is rounding noise beside those of other tensors; None where that cannot be seen."""

    def rates(self, optimizer: Hashable) -> list[float | None]:
        """The learning rate of every group, now."""

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        """By tensor key, the gradients of the coming step that may differ from what autograd made; called at checks."""

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        """The name of another tensor of the optimizer or of the process that holds exactly ``content``."""

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        """The optimizers' own tensors for this tensor, of its shape and type, with their names."""

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        """Other tensors of the same shape and type, the likeliest source of a copy first."""

    def watch_forwards(self, wanted: bool) -> None:
        """Bracket the forward pass of the modules that own blamed tensors, until told otherwise."""

    def finish_rows(self) -> None:
        """Fill what only the framework knows into the rows (modes, owners, calls) before rules run."""
