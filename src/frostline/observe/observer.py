"""The observer: told by a framework when steps begin and end, it decides which are checks and looks when asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from frostline.core.collector import collector_paused
from frostline.core.facts import OptimizerSeen
from frostline.core.journal import Journal
from frostline.core.ledger import LOADED, Place
from frostline.errors import EnoughSteps
from frostline.observe import schedule
from frostline.observe.checks.flags import Flags
from frostline.observe.checks.last_check import look_last
from frostline.observe.checks.step_checks import Checks
from frostline.observe.holdings import Holdings
from frostline.observe.moves.movements import Movements
from frostline.observe.progress import Notice
from frostline.observe.protocols import Probe
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked
from frostline.settings import Settings


class Observer:
    """Watches the tensors of one framework; the probe tells it when steps and forward passes begin and end.

    Args:
        probe: the framework's probe, asked for flags at every step and for the rest at checks.
        settings: schedule, patience and memory budget.
        journal: takes the facts.
        on_check: called after every check, with the record in a consistent state.
        aside: makes a context in which the framework's own modes (gradient recording, tracing) are off; entered for
            checks only, because a step that is none must cost next to nothing.
    """

    def __init__(
        self,
        probe: Probe,
        settings: Settings,
        journal: Journal,
        on_check: Callable[[], None],
        aside: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.tracked = Tracked(probe, settings, journal)
        self.journal = journal
        self.tell = self.tracked.tell
        self.clock = self.tracked.clock
        self.lines = self.tracked.lines
        self.tensors = self.tracked.tensors
        self.optimizers = self.tracked.optimizers
        self.aside = aside
        self.steps_wanted = settings.steps  # None again when the run closes: a step may be noticed as late as that
        self.after_first_step: Callable[[], object] | None = None  # of this process
        self.flags = Flags(self.tracked)
        self.holdings = Holdings(probe, self.tensors, self.tell)
        self._movements = Movements(self.tracked, self.holdings)
        self._checks = Checks(self.tracked, self.holdings, self._movements, on_check)
        self.read_written = self._checks.read_written
        self.written_outside = self._checks.written_outside
        self.attribution = self._checks.attribution
        self.going_on = self._checks.going_on
        self._due: dict[Hashable, int] = {}  # by optimizer, its next step around which something is looked at
        self._met, self._newcomer = 0, False  # models met in the midst of training; one since the last check

    @property
    def steps(self) -> int:
        """How many steps were executed so far, of all optimizers."""
        return self.clock.steps

    @property
    def checks(self) -> int:
        """How many checks were made so far."""
        return self.clock.checks

    @property
    def checking(self) -> bool:
        """Whether the step under way is a check."""
        return self._checks.holds is not None

    # Steps

    def before_step(self, key: Hashable) -> None:
        """An optimizer is about to update tensors."""
        optimizer = self.optimizers[key]
        if self.flags.setting_up:
            self.flags.begin()
        self.clock.before_step()
        due = self._newcomer or schedule.due(optimizer.steps_executed + 1, self.tracked.settings.check_every)
        if self.flags.poll(optimizer.id, whole=due) or due:
            self._newcomer = False
            self.lines.begin()
            self.lines.read(optimizer)
            with self.aside(), self.tracked.notice.stretch(), collector_paused():
                self._checks.open(key)
        elif self.attribution.followed:
            self.lines.begin()
            self.lines.read(optimizer)
            with self.aside():
                self.attribution.before_step()

    def after_step(self, key: Hashable) -> None:
        """The optimizer has updated its tensors (or the script has, where it does so by hand).

        Raises:
            EnoughSteps: as many steps were executed as the script is to have.
        """
        optimizer, checking = self.optimizers[key], self._checks.holds is not None
        self.clock.after_step()
        self.journal.step(optimizer.id, self.clock.steps)
        if (first := self.after_first_step) is not None:
            self.after_first_step = None
            first()
        if checking or self.holdings.rates_open(key):
            self.holdings.note_rates(key, optimizer)
        if checking or self.attribution.followed:
            self.lines.read(optimizer)
        if checking:
            with self.aside(), self.tracked.notice.stretch(), collector_paused():
                self._checks.close(key)
        elif self.attribution.followed:
            with self.aside():
                self.attribution.after_step(key)
        self._due[key] = self._next_due(key, optimizer.steps_executed)
        if self.steps_wanted is not None and self.clock.steps >= self.steps_wanted:
            raise EnoughSteps(self.steps_wanted)

    def next_step(self, key: Hashable) -> bool:
        """A step of this optimizer was made, and its next one begins: all in one, where nobody looks around either.

        Of nearly all steps this is so. False where it is not, and nothing was done: ``after_step`` is to be told, and
        ``before_step``.
        """
        if self._checks.holds is not None or self._newcomer or self.attribution.followed or self.after_first_step:
            return False
        optimizer, tracked, clock = self.optimizers[key], self.tracked, self.clock
        flags = tracked.probe.flags(whole=False)
        if optimizer.steps_executed + 2 >= self._due.get(key, 0) or (flags is not None and flags is not tracked.flags):
            return False
        clock.steps += 1
        clock.now += 2
        self.journal.step(optimizer.id, clock.steps)
        return True

    def _next_due(self, key: Hashable, executed: int) -> int:
        """The next step of an optimizer, of which so many are executed, around which something is looked at."""
        if self.steps_wanted is not None or self.holdings.rates_open(key):
            return executed + 1
        return schedule.next_due(executed, self.tracked.settings.check_every)

    def late_step(self, key: Hashable) -> None:
        """What was just done turns out to be a step of this optimizer; every tensor was looked at just before it."""
        self.flags.begin()
        self.clock.before_step()
        self.lines.begin()
        self.flags.poll(self.optimizers[key].id)
        with self.aside():
            self._checks.open_late(key)

    def update_holdings(self, key: Hashable) -> None:
        """The step under way has shown only now what it holds: a compiled step tells while it is traced."""
        self._checks.update_holdings(key)

    def forgot_step(self) -> None:
        """The step that was announced ended in an exception: it did not count."""
        self._checks.holds = None

    def skipped(self, key: Hashable) -> None:
        """The optimizer was asked to step and did not (an overflow in mixed precision)."""
        optimizer = self.optimizers[key]
        self.tell(OptimizerSeen(optimizer=optimizer.id, steps_skipped=optimizer.steps_skipped + 1))

    def met_late(self) -> None:
        """A model was met; where that was in the midst of training, the coming step is to be a check.

        Of scripts that make models again and again, fewer and fewer are.
        """
        if self.clock.steps:
            self._met += 1
            self._newcomer = schedule.due(self._met)

    # Looks that an instrument asks for

    def look_now(
        self, keys: Iterable[Hashable], place: Place | None = None, event: str | None = None
    ) -> list[TensorState]:
        """Read these tensors at once and tell what moved since the last check.

        Args:
            keys: of the tensors; settled ones are left alone.
            place: ``forward`` or ``outside`` where the caller knows that nothing else can have moved them since the
                last check in this half-step; a tensor last looked at earlier moved somewhere between. None: inside
                the step that is under way, or outside.
            event: what the script was doing, for the record.
        """
        clock, movements = self.clock, self._movements
        place = place or clock.place_now()
        moved = []
        unsettled = [watched for key in keys if (watched := self.tensors.get(key)) is not None and not watched.settled]
        made = movements.made(unsettled)
        for watched in unsettled:
            start, before = watched.read_at, watched.digest
            reading = movements.look(watched, made)
            movements.tell_compared()
            if reading is None or (watched.frozen and watched.put_back(clock.now, before)):
                continue
            where = place if start == clock.now else clock.place_since(start)
            movement = movements.write(watched, reading, where, start, event=event)
            if event == LOADED:
                self.attribution.name_copied(watched, reading, movement)
            if watched.pursuit > 0:
                self.attribution.caught(watched, reading, movement)
            moved.append(watched)
        return moved

    def keep_written(self, keys: Iterable[Hashable], keep: bool) -> None:
        """Keep the bits of frozen tensors and copies among these, within the budget, around a write to them."""
        budget = self.tracked.settings.keep_bytes
        for watched in sorted((self.tensors[key] for key in keys), key=lambda each: each.row.bytes_here):
            asked = watched.frozen or self.attribution.may_be_copy(watched)
            if asked and watched.pursuit <= 0 and not watched.settled:
                budget -= watched.row.bytes_here
                watched.keep = keep and budget >= 0
                watched.take_copy()

    def close(self, pending: Hashable = None) -> None:
        """The last check: read every tensor that is not settled.

        Args:
            pending: an optimizer whose results the script puts into the model when it likes: what moved was its step.
        """
        with self.tracked.notice.stretch(), collector_paused():
            look_last(self.tracked, self.flags, self._checks, self._movements, pending)

    def adopt_settings(self, settings: Settings) -> None:
        """Go on under these in a process that was forked; its parent is the one to say how far the reading is."""
        self.tracked.settings, self.tracked.notice = settings, Notice(None)
