"""What a probe hands to the observer: live leaves that can be read, and programs that can say how they are wired."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from frostline.core.ledger import Gradient, LeafRow
from frostline.digest.blocks import Digest


class Unreadable(Exception):
    """The bytes of a leaf cannot be had; the text is the reason that is printed."""


class NotNow(Unreadable):
    """The bytes of a leaf are somewhere else for the time being: handed to a step whose result is not back yet."""


class LiveLeaf(Protocol):
    """One leaf of a running framework; the observer calls these at checks, never in between."""

    key: Hashable
    row: LeafRow

    def read(self) -> Any:
        """The leaf's bytes now, in C order, as an object with the buffer protocol; Unreadable with the reason."""

    def part(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop) of those; on an accelerator no more than these come to the host."""

    def gradient(self) -> Gradient:
        """Whether the gradient is missing, exactly zero, or not."""


@dataclass(slots=True)
class Hold:
    """How a program holds a leaf at this moment, as the probe reads it off the framework.

    ``copied`` says that the program keeps a copy of the leaf (an average) and may write it back; ``inside`` that the
    gradient is made in the step itself, so that before it there is none to see; ``fills_gaps`` that the program takes a
    missing gradient for zeros.
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
class Withheld:
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

    def digests(self, leaves: Iterable[LiveLeaf]) -> dict[Hashable, Digest]:
        """The present digests, by leaf key, of those leaves whose accelerator makes them; the rest is read here."""

    def flags(self) -> list[bool | None]:
        """The declared flag of every adopted leaf, in the order of adoption; called before every step."""

    def refresh(self) -> None:
        """Look for leaves that are new, replaced, tied or untied; called at checks."""

    def holds(self, program: Hashable) -> dict[Hashable, Hold]:
        """The leaves a program holds, by leaf key."""

    def update_ulp(self, program: Hashable, leaf: LiveLeaf) -> float | None:
        """The largest update the program's last step can have made to the leaf, in units in the last place."""

    def negligible(self, program: Hashable, leaf: LiveLeaf) -> bool:
        """Whether the leaf's gradient is rounding noise beside those of the program's other leaves."""

    def rates(self, program: Hashable) -> list[float | None]:
        """The learning rate of every group, now."""

    def withheld(self) -> dict[Hashable, Withheld]:
        """By leaf key, the gradients of the coming step that may differ from what autograd made; called at checks."""

    def copies(self, leaf: LiveLeaf, content: bytes) -> str | None:
        """The name of another tensor of the optimizer or of the process that holds exactly ``content``."""

    def states(self, leaf: LiveLeaf) -> Iterable[tuple[str, bytes]]:
        """The optimizers' own tensors for this leaf, of its shape and type, with their names."""

    def kin(self, leaf: LiveLeaf) -> Iterable[LiveLeaf]:
        """Other leaves of the same shape and type, the likeliest source of a copy first."""

    def watch_forwards(self, wanted: bool) -> None:
        """Bracket the forward pass of the modules that own blamed leaves, until told otherwise."""

    def frozen_in_place(self) -> None:
        """Fill what only the framework knows into the rows (modes, owners, calls) before rules run."""
