"""What a framework offers to a run, what one of its instruments is, and what an instrument may use of the run.

A framework is a folder: base files, which know its tensors, models and optimizers, and instruments, each of which
hooks one thing and tells facts. What the recorder asks it at a check is ``frostline.observe.protocols.Probe``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from frostline.core.facts import Fact
from frostline.core.journal import Journal
from frostline.core.ledger import OptimizerRow, Place
from frostline.observe.checks.flags import Flags
from frostline.observe.clock import Clock
from frostline.observe.holdings import Holdings
from frostline.observe.observer import Observer
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked
from frostline.settings import Settings

Fault: TypeAlias = Callable[[str, BaseException], None]
Undo: TypeAlias = Callable[[], None]


class Framework(Protocol):
    """One framework under observation, as the session that attached it knows it."""

    name: str
    observer: Observer

    def take(self, value: Any) -> None:
        """Observe a model or optimizer that was named explicitly; anything else is left alone."""

    def place_in_group(self) -> tuple[int, int] | None:
        """This process's rank and the number of processes, once it has joined others; None when alone."""

    def close(self) -> None:
        """Look for the last time, and take every hook away; afterwards nothing is kept alive."""


class FrameworkModule(Protocol):
    """The package of one framework: its instruments, in the order in which they are called, and how it is attached."""

    INSTRUMENTS: tuple[type[Instrument], ...]

    def attach(self, settings: Settings, journal: Journal, on_check: Callable[[], None], fault: Fault) -> Framework:
        """Observe every model and optimizer of this process from now on.

        Args:
            settings: of the run.
            journal: takes the facts.
            on_check: called after each check.
            fault: takes errors inside frostline, which never reach the script.
        """


class Instrument(Protocol):
    """Hooks one thing of a framework and tells what it sees there; it knows no other instrument.

    ``tells`` are the facts that it may tell: what no instrument of a framework tells is unknown there.
    """

    tells: ClassVar[tuple[type[Fact], ...]]

    def attach(self) -> Iterable[Undo]:
        """Put the hooks in place, and subscribe to signals of the framework; what is returned takes hooks away."""


class Recorder(Protocol):
    """What an instrument may use of the run: facts to tell, steps to announce, looks to ask for, rows to read."""

    tell: Callable[[Fact], None]
    tracked: Tracked
    clock: Clock
    flags: Flags
    holdings: Holdings

    @property
    def steps(self) -> int:
        """How many steps were executed so far, of all optimizers."""

    @property
    def now(self) -> int:
        """The present half-step: 2·n before global step n, 2·n + 1 after it."""

    @property
    def checks(self) -> int:
        """How many checks were made so far."""

    @property
    def checking(self) -> bool:
        """Whether the step under way is a check."""

    @property
    def tensors(self) -> Mapping[Hashable, TensorState]:
        """Every tensor under observation, by key; its row is only read here."""

    @property
    def optimizers(self) -> Mapping[Hashable, OptimizerRow]:
        """The row of every optimizer, by its id; only read here."""

    def before_step(self, key: Hashable) -> None:
        """An optimizer is about to update tensors."""

    def after_step(self, key: Hashable) -> None:
        """The optimizer has updated its tensors."""

    def late_step(self, key: Hashable) -> None:
        """What was just done turns out to be a step of this optimizer; every tensor was looked at just before it."""

    def forgot_step(self) -> None:
        """The step that was announced ended in an exception: it did not count."""

    def skipped(self, key: Hashable) -> None:
        """The optimizer was asked to step and did not."""

    def update_holdings(self, key: Hashable) -> None:
        """The step under way has shown only now what it holds."""

    def met_late(self) -> None:
        """A model was met; where that was in the midst of training, the coming step is to be a check."""

    def look_now(
        self, keys: Iterable[Hashable], place: Place | None = None, event: str | None = None
    ) -> list[TensorState]:
        """Read these tensors at once and tell what moved since the last check."""

    def keep_written(self, keys: Iterable[Hashable], keep: bool) -> None:
        """Keep the bits of frozen tensors and copies among these, within the budget, around a write to them."""
