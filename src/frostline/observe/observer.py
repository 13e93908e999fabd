"""The observer: reads bits around the steps of optimizers and turns differences into movements with evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from frostline.core.facts import (
    Compared,
    Fact,
    FlagDeclared,
    FlagHeld,
    Moved,
    OptimizerChecked,
    OptimizerFound,
    OptimizerSeen,
    TensorFound,
)
from frostline.core.journal import Journal
from frostline.core.ledger import LOADED, Gradient, Movement, OptimizerRow, Place, TensorRow
from frostline.digest.blocks import Digest
from frostline.errors import EnoughSteps
from frostline.observe import schedule
from frostline.observe.holdings import Holdings
from frostline.observe.moves.attribution import Attribution
from frostline.observe.moves.lagging_copies import note_twins
from frostline.observe.progress import Notice, terminal
from frostline.observe.protocols import Hold, LiveTensor, Probe
from frostline.observe.row_tracking import Rows
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.variable_names import unique
from frostline.settings import Settings

FLIPS_THAT_CHECK = 4


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
        self.probe = probe
        self.settings = settings
        self.journal = journal
        self.tell: Callable[[Fact], None] = journal.tell
        self.on_check = on_check
        self.aside = aside
        self.notice = Notice(terminal() if settings.progress else None)
        self.tensors: dict[Hashable, TensorState] = {}
        self.optimizers: dict[Hashable, OptimizerRow] = {}
        self.steps = 0
        self.checks = 0
        self._flags: list[bool | None] = []
        self._order: list[TensorState] = []
        self._compared: list[int] = []  # tensors of the check under way, which one fact names together
        self._holds: dict[Hashable, Hold] | None = None
        self._now = 1
        self.over = False
        self.steps_wanted = settings.steps  # None again when the run closes: a step may be noticed as late as that
        self._closing = False
        self._met, self._newcomer = 0, False  # models met in the midst of training; one since the last check
        self.setting_up = False  # a probe that sees models before they are set to train says so, until it begins()
        self.steps_unseen = False  # set where steps may run without the probe's knowledge (inside a compiled function)
        self.holdings = Holdings(probe, self.tensors, self.tell)
        self._pursuit = Attribution(self)
        self._rows = Rows(self)

    def adopt_settings(self, settings: Settings) -> None:
        """Go on under these in a process that was forked; its parent is the one to say how far the reading is."""
        self.settings, self.notice = settings, Notice(None)

    # What the probe reports

    def found(self, **what: Any) -> TensorRow:
        """The row of a tensor that was found just now, to be adopted; TensorFound has the fields."""
        number = next(self.journal.tensors)
        self.tell(TensorFound(tensor=number, framework=self.probe.name, **what))
        return self.journal.fold.rows[number]

    def found_optimizer(self, label: str, kind: str, name: str, *, by_hand: bool = False) -> OptimizerRow:
        """The row of an optimizer that was found just now, under ``label`` or, where that is taken, one like it."""
        optimizer = unique(label, self.journal.fold.optimizers)
        self.tell(OptimizerFound(optimizer=optimizer, kind=kind, name=name, by_hand=by_hand))
        row = self.optimizers[optimizer] = self.journal.fold.optimizers[optimizer]
        return row

    def adopt(self, entry: LiveTensor, flag: bool | None) -> TensorState:
        """Take a tensor under observation: its present bits are the baseline; when the run is over there is none."""
        watched = TensorState(entry, flag, self.tell, flag_since=self.steps, froze_at=self.now)
        self.tell(FlagDeclared(tensor=entry.row.id, flag=flag))
        if self.over:
            watched.lose("the model was first seen when the run was over")
        else:
            watched.rebase(self.now, self.probe.digests([entry]).get(entry.key))
            self.notice.read(entry.row.bytes)
        self.tensors[entry.key] = watched
        self._order.append(watched)
        self._flags.append(flag)
        return watched

    def begin(self) -> None:
        """Training begins: what flags were set to before this was the declaration, and no change of it."""
        if self.setting_up:
            self.poll("")
            self.setting_up = False

    def met_late(self) -> None:
        """A model was met; where that was in the midst of training, the coming step is to be a check.

        Of scripts that make models again and again, fewer and fewer are.
        """
        if self.steps:
            self._met += 1
            self._newcomer = schedule.due(self._met)

    @property
    def now(self) -> int:
        """The present half-step: 2·n before global step n, 2·n + 1 after it."""
        return self._now

    @property
    def checking(self) -> bool:
        """Whether the step under way is a check."""
        return self._holds is not None

    def before_step(self, key: Hashable) -> None:
        """An optimizer is about to update tensors."""
        optimizer = self.optimizers[key]
        self.begin()
        self._now = 2 * (self.steps + 1)
        wanted = self.poll(optimizer.id) or self._newcomer
        if wanted or schedule.due(optimizer.steps_executed + 1, self.settings.check_every):
            self._newcomer = False
            with self.aside(), self.notice.stretch():
                self._open_check(key, optimizer)
        elif self._pursuit.active:
            with self.aside():
                self._pursuit.before_step()

    def after_step(self, key: Hashable) -> None:
        """The optimizer has updated its tensors (or the script has, where it does so by hand).

        Raises:
            EnoughSteps: as many steps were executed as the script is to have.
        """
        optimizer = self.optimizers[key]
        self.steps += 1
        self._now = 2 * self.steps + 1
        self.journal.step(optimizer.id, self.steps)
        if self._holds is not None or self.holdings.rates_open(key):
            self.holdings.note_rates(key, optimizer)
        if self._holds is not None:
            with self.aside(), self.notice.stretch():
                self._close_check(key, optimizer)
        elif self._pursuit.active:
            with self.aside():
                self._pursuit.after_step(key)
        if self.steps_wanted is not None and self.steps >= self.steps_wanted:
            raise EnoughSteps(self.steps_wanted)

    def update_holdings(self, key: Hashable) -> None:
        """The step under way has shown only now what it holds: a compiled step tells while it is traced."""
        if self._holds is not None:
            self._holds = self.probe.holds(key)
            self.holdings.note(self.optimizers[key], self._holds)

    def late_step(self, key: Hashable) -> None:
        """What was just done turns out to be a step of this optimizer; every tensor was looked at just before it."""
        self.begin()
        self._now = 2 * (self.steps + 1)
        self.poll(self.optimizers[key].id)
        with self.aside():
            self.probe.refresh()
            self._holds = self.probe.holds(key)
            self.holdings.note(self.optimizers[key], self._holds)

    def skipped(self, key: Hashable) -> None:
        """The optimizer was asked to step and did not (an overflow in mixed precision)."""
        optimizer = self.optimizers[key]
        self.tell(OptimizerSeen(optimizer=optimizer.id, steps_skipped=optimizer.steps_skipped + 1))

    def forgot_step(self) -> None:
        """The step that was announced ended in an exception: it did not count."""
        self._holds = None

    def look_now(self, keys: Iterable[Hashable], place: Place, event: str | None = None) -> list[TensorState]:
        """Read these tensors at once and tell what moved since the last check.

        Args:
            keys: of the tensors; settled ones are left alone.
            place: ``forward`` or ``outside`` where the caller knows that nothing else can have moved them since the
                last check in this half-step; a tensor last looked at earlier moved somewhere between.
            event: what the script was doing, for the record.
        """
        moved = []
        unsettled = [watched for key in keys if (watched := self.tensors.get(key)) is not None and not watched.settled]
        made = self._made(unsettled)
        for watched in unsettled:
            start, before = watched.read_at, watched.digest
            reading = self._look(watched, made)
            self._tell_compared()
            if reading is not None and not (watched.frozen and watched.put_back(self._now, before)):
                where = place if start == self._now else self.place_since(start)
                movement = self.write(watched, reading, where, start, event=event)
                if event == LOADED:
                    self._pursuit.name_loaded(watched, reading, movement)
                if watched.pursuit > 0:
                    self._pursuit.caught(watched, reading, movement)
                moved.append(watched)
        return moved

    def keep_frozen(self, keys: Iterable[Hashable], keep: bool) -> None:
        """Keep copies of the frozen ones of these tensors, within the budget, around what is about to write them."""
        budget = self.settings.keep_bytes
        for watched in sorted((self.tensors[key] for key in keys), key=lambda each: each.row.bytes):
            if watched.frozen and watched.pursuit <= 0 and not watched.settled:
                budget -= watched.row.bytes
                watched.keep = keep and budget >= 0
                watched.take_copy()

    def note_holds(self, key: Hashable, holds: dict[Hashable, Hold]) -> None:
        """Write down what an optimizer holds that never stepped."""
        self.holdings.note(self.optimizers[key], holds)

    def close(self, pending: Hashable = None) -> None:
        """The last check: read every tensor that is not settled.

        Args:
            pending: an optimizer whose results the script puts into the model when it likes: what moved was its step.
        """
        with self.notice.stretch():
            self._close(pending)

    def _close(self, pending: Hashable) -> None:
        self._closing = True
        self._now = 2 * self.steps + (1 if self.steps else 0)
        self.probe.refresh()
        self.poll("the end")
        theirs = self.probe.holds(pending) if pending is not None else {}
        made = self._made(self._order)
        self._count_flag_steps()
        for watched in self._order:
            if watched.settled:
                continue
            start = watched.read_at
            reading = self._look(watched, made, copying=watched.frozen)
            if reading is not None:
                if (hold := theirs.get(watched.entry.key)) is not None:
                    self.moved_in_step(pending, watched, reading, hold)
                    continue
                movement = self.write(watched, reading, self.place_since(start), start)
                if watched.frozen_over(start) and self.steps:
                    self._pursuit.name_source(watched, reading, movement)
        self._tell_compared()
        self._rows.close()
        self.journal.fold.settle()
        self.probe.finish_rows()
        note_twins(self._order, self.probe, self.tell)
        if self.settings.digests:
            for watched in self._order:
                watched.note_digests(self._now)
        self.checks += 1

    def _count_flag_steps(self) -> None:
        """Tell for how many steps each flag was held since it was last set."""
        held: dict[tuple[bool | None, int], list[int]] = {}
        for watched in self._order:
            held.setdefault(watched.count_flag_steps(self.steps), []).append(watched.row.id)
        for (flag, steps), tensors in held.items():
            if steps:
                self.tell(FlagHeld(tensors=tuple(tensors), flag=flag, steps=steps))

    # A check

    def _made(self, tensors: Iterable[TensorState]) -> dict[Hashable, Digest]:
        """The present digests of those unsettled tensors whose accelerator makes them, in one batch."""
        return self.probe.digests([watched.entry for watched in tensors if not watched.settled])

    def _look(self, watched: TensorState, made: dict[Hashable, Digest], copying: bool = False) -> Reading | None:
        digest = made.get(watched.entry.key)
        reads = watched.reads
        reading = watched.look(self._now, whole=watched.frozen, copying=copying, made=digest, last=self._closing)
        if watched.reads > reads:
            self._compared.append(watched.row.id)
        self.notice.read(watched.row.bytes)
        return reading

    def _tell_compared(self) -> None:
        if self._compared:
            self.tell(Compared(step=self._now // 2, tensors=tuple(self._compared)))
            self._compared.clear()

    def _open_check(self, key: Hashable, optimizer: OptimizerRow) -> None:
        self.probe.refresh()
        self._holds = self.probe.holds(key)
        self.holdings.note(optimizer, self._holds)
        made = self._made(self._order)
        for watched in self._order:
            if watched.settled:
                continue
            start = watched.read_at
            reading = self._look(watched, made, copying=watched.frozen_over(start))
            if reading is not None:
                movement = self.write(watched, reading, self.place_since(start), start)
                if watched.frozen_over(start) and self.steps:
                    self._pursuit.name_source(watched, reading, movement)
                    self._pursuit.consider(watched, start)
            if watched.entry.key not in self._holds and watched.row.kind == "parameter":
                self.holdings.note_gradient(watched)
        self._tell_compared()
        self.holdings.tell_gradients()
        self._keep_suspects()
        self._rows.before_step(by_hand=optimizer.by_hand)

    def _close_check(self, key: Hashable, optimizer: OptimizerRow) -> None:
        holds, self._holds = self._holds or {}, None
        self.holdings.note_inside(optimizer, holds)
        made = self._made(self._order)
        for watched in self._order:
            if watched.settled:
                continue
            hold = holds.get(watched.entry.key)
            reading = self._look(watched, made)
            if reading is None:
                if hold is not None and not watched.frozen:
                    self.holdings.note_stillness(key, optimizer, watched)
            else:
                self._settle_after_step(watched, reading, self.moved_in_step(key, watched, reading, hold))
        self._tell_compared()
        self._rows.after_step(key, holds)
        rate = max((hold.lr for hold in holds.values() if hold.lr is not None), default=None)
        executed = optimizer.steps_executed
        self.tell(OptimizerChecked(optimizer=optimizer.id, executed=executed, step=self.steps, lr=rate))
        self.checks += 1
        self._pursuit.begin()
        self.on_check()

    def moved_in_step(
        self, key: Hashable, watched: TensorState, reading: Reading, hold: Hold | None = None
    ) -> Movement:
        """Write a move that happened inside the step just done, with the gradient that went into it."""
        optimizer = self.optimizers[key]
        hold = hold or self.probe.holds(key).get(watched.entry.key)
        gradient = self.holdings.gradient_of(watched, hold)
        place: Place = "outside" if optimizer.by_hand else "step"
        return self.write(watched, reading, place, self._now - 1, optimizer=optimizer, hold=hold, gradient=gradient)

    def _settle_after_step(self, watched: TensorState, reading: Reading, movement: Movement) -> None:
        if watched.row.kind == "buffer":
            watched.settled = not watched.frozen
        elif not watched.frozen:
            decay_like = movement.shift is not None and movement.shift.ratio is not None
            watched.settled = movement.gradient != "zero" and not decay_like
        elif movement.shift is None:
            self._pursuit.consider(watched, self._now - 1)
        elif movement.gradient == "none":
            self._pursuit.name_source(watched, reading, movement)

    def _keep_suspects(self) -> None:
        """Keep copies of the tensors whose next move would need explaining, the smallest first."""
        budget, holds = self.settings.keep_bytes, self._holds or {}
        for watched in sorted(self._order, key=lambda each: each.row.bytes):
            if watched.settled:
                continue
            suspect = watched.pursuit > 0 or self.holdings.unexplained(watched, holds.get(watched.entry.key))
            watched.keep = suspect and watched.row.bytes <= budget
            budget -= watched.row.bytes if watched.keep else 0
            watched.take_copy()

    # Flags

    def poll(self, optimizer: str) -> bool:
        """Compare the flags with those of the last step; True where a flip is worth a check of its own."""
        flags = self.probe.flags()
        if flags == self._flags:
            return False
        worth = False
        for watched, old, new in zip(self._order, self._flags, flags, strict=False):
            if old != new and self.setting_up:
                watched.declare(new, self._now)
            elif old != new:
                watched.flip(new, self._now, optimizer)
                worth |= watched.row.declared.flip_count <= FLIPS_THAT_CHECK
        self._flags = flags
        return worth

    # Writing a movement

    def place_since(self, start: int) -> Place:
        """Where a move between the half-step ``start`` and now can have happened."""
        return "outside" if self._now - start <= 1 and start % 2 else "between"

    def place_now(self) -> Place:
        """Where a move seen at this moment happened: inside an optimizer's step that is under way, or outside."""
        return "outside" if self._now % 2 else "between"

    def write(
        self,
        watched: TensorState,
        reading: Reading,
        place: Place,
        start: int,
        *,
        optimizer: OptimizerRow | None = None,
        hold: Hold | None = None,
        gradient: Gradient | None = None,
        event: str | None = None,
    ) -> Movement:
        row = watched.row
        unseen = self._closing and self.steps_unseen
        set_up = self.steps == 0 and place in ("between", "outside") and not unseen  # loading, initialising
        moved = Moved(
            tensor=row.id,
            move=next(self.journal.moves),
            place=place,
            since=start // 2,
            until=self._now // 2 if place == "step" or self._closing else (self._now + 1) // 2,
            optimizer=optimizer.id if optimizer else None,
            trainable=not watched.frozen_over(start) if place in ("between", "outside") else not watched.frozen,
            training=row.declared.training,
            gradient=gradient,
            state=hold.state if hold else None,
            lr=hold.lr if hold else None,
            weight_decay=hold.weight_decay if hold else None,
            blocks=row.changed.blocks,
            blocks_moved=reading.blocks_moved,
            shift=watched.shift_of(reading),
            event=event,
            late=self._closing and place != "step",
            set_up=set_up,
        )
        self.tell(moved)
        movement = self.journal.fold.moves[moved.move]
        if set_up:
            return movement
        if place in ("between", "outside", "forward") and not watched.frozen:
            watched.settled = not any(_may_be_decay(move) for move in row.changed.movements)
        return movement


def _may_be_decay(movement: Movement) -> bool:
    """Whether a step made the move without a gradient, so that later moves must tell whether decay is all there is."""
    factor = movement.shift is not None and movement.shift.ratio is not None
    return movement.place == "step" and (factor or movement.gradient == "zero")
