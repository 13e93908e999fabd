"""A check: every tensor that more reading can tell something of is read just before a step and just after it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from frostline.core.facts import OptimizerChecked
from frostline.core.ledger import Movement
from frostline.observe.checks.going_on import GoingOn
from frostline.observe.checks.replicas import Replicas
from frostline.observe.checks.row_tracking import Rows
from frostline.observe.holdings import Holdings
from frostline.observe.moves.attribution import Attribution
from frostline.observe.moves.movements import Movements
from frostline.observe.protocols import Hold
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.tracked import Tracked

FROZEN_AT_FIRST = 16


class Checks:
    """Opens and closes checks around steps; ``holds`` is what the optimizer holds in the one under way, else None.

    ``written_outside`` are the tensors that were seen to be written to since the last step, and not since the last
    reading until then: these moved outside every step, however long ago they were read. One that a forward pass was
    seen to write is not among them: it was such a pass again, as far as anybody knows.

    Args:
        tracked: what is under observation.
        holdings: tells what optimizers hold, and which gradients they find.
        movements: tells of changes.
        on_check: called after every check, with all facts of it told.
    """

    def __init__(
        self, tracked: Tracked, holdings: Holdings, movements: Movements, on_check: Callable[[], None]
    ) -> None:
        self._tracked = tracked
        self._holdings = holdings
        self._movements = movements
        self._on_check = on_check
        self.attribution = Attribution(tracked, movements)
        self.rows = Rows(tracked)
        self.going_on = GoingOn(tracked, holdings)
        self.replicas = Replicas(tracked)
        self.holds: dict[Hashable, Hold] | None = None
        self.written_outside: set[Hashable] = set()
        self._kept_at_first: list[TensorState] = []

    def open(self, key: Hashable) -> None:
        """A step that is a check is about to be made."""
        tracked, optimizer = self._tracked, self._tracked.optimizers[key]
        tracked.probe.refresh()
        holds = self.holds = tracked.probe.holds(key)
        self._holdings.note(optimizer, holds)
        unsettled = tracked.unsettled()
        made = self._movements.made(unsettled)
        self._let_go_of_the_first()
        for watched in unsettled:
            start = watched.read_at
            reading = self._movements.look(watched, made, copying=watched.frozen_over(start))
            if reading is not None:
                self._moved_before(watched, reading, start)
            if watched.entry.key not in holds and watched.row.kind == "parameter":
                self._holdings.note_gradient(watched)
        self._movements.tell_compared()
        self._holdings.tell_gradients()
        self._keep_suspects(holds)
        self.rows.before_step(by_hand=optimizer.by_hand)
        self.going_on.before_step(holds)
        self.replicas.before_step(holds)

    def read_written(self, keys: Iterable[Hashable]) -> list[TensorState]:
        """Before a step: read tensors that were seen to be written to, as a check does; those that moved.

        Tensors of which copies are kept are read at every step anyway.
        """
        known = (self._tracked.tensors.get(key) for key in keys)
        written = [each for each in known if each is not None and not (each.settled or each.keep)]
        made, moved = self._movements.made(written), []
        for watched in written:
            start = watched.read_at
            reading = self._movements.look(watched, made, copying=watched.frozen_over(start))
            if reading is not None:
                self._moved_before(watched, reading, start)
                moved.append(watched)
        self._movements.tell_compared()
        if moved:
            self.attribution.begin()
        return moved

    def open_late(self, key: Hashable) -> None:
        """What was just done turns out to be a step of this optimizer; every tensor was looked at just before it."""
        self._tracked.probe.refresh()
        self.holds = self._tracked.probe.holds(key)
        self._holdings.note(self._tracked.optimizers[key], self.holds)

    def update_holdings(self, key: Hashable) -> None:
        """The step under way has shown only now what it holds: a compiled step tells while it is traced."""
        if self.holds is not None:
            self.holds = self._tracked.probe.holds(key)
            self._holdings.note(self._tracked.optimizers[key], self.holds)

    def close(self, key: Hashable) -> None:
        """The step of a check was made."""
        tracked, optimizer = self._tracked, self._tracked.optimizers[key]
        assert self.holds is not None
        holds, self.holds = self.holds, None
        self._holdings.note_inside(optimizer, holds)
        unsettled = tracked.unsettled()
        made = self._movements.made(unsettled)
        for watched in unsettled:
            hold = holds.get(watched.entry.key)
            reading = self._movements.look(watched, made)
            if reading is not None:
                self._settle(watched, reading, self._movements.in_step(key, watched, reading, hold))
            elif hold is not None and not watched.frozen:
                self._holdings.note_stillness(key, optimizer, watched)
        self._movements.tell_compared()
        self.rows.after_step(key, holds)
        self.going_on.after_step(key, holds)
        self.replicas.after_step(holds)
        rate = max((hold.lr for hold in holds.values() if hold.lr is not None), default=None)
        executed, step = optimizer.steps_executed, tracked.clock.steps
        tracked.tell(OptimizerChecked(optimizer=optimizer.id, executed=executed, step=step, lr=rate))
        tracked.clock.checks += 1
        self.attribution.begin()
        self._on_check()

    def _moved_before(self, watched: TensorState, reading: Reading, start: int) -> None:
        """A tensor moved since its last reading, and not in the step that is about to be made."""
        outside = watched.entry.key in self.written_outside and not watched.moved_in_forward
        place = "outside" if outside else self._tracked.clock.place_since(start)
        movement = self._movements.write(watched, reading, place, start)
        if not self._tracked.clock.steps:
            return
        if watched.frozen_over(start):
            self.attribution.name_source(watched, reading, movement)
        elif watched.pursuit > 0:
            self.attribution.caught(watched, reading, movement)
        self.attribution.consider(watched, start)

    def _settle(self, watched: TensorState, reading: Reading, movement: Movement) -> None:
        """A step moved a tensor: is more to be learnt of it by reading?"""
        if watched.row.kind == "buffer":
            watched.settled = not watched.frozen
        elif not watched.frozen:
            decay_like = movement.shift is not None and movement.shift.ratio is not None
            watched.settled = movement.gradient != "zero" and not decay_like
        elif movement.shift is None:
            self.attribution.consider(watched, self._tracked.clock.now - 1)
        elif movement.gradient == "none":
            self.attribution.name_source(watched, reading, movement)

    def _let_go_of_the_first(self) -> None:
        """Drop the copies of the first check: a longer run explains moves where its forward passes are watched too."""
        for watched in self._kept_at_first:
            if watched.pursuit == 0:
                watched.keep, watched.copy = False, None
        self._kept_at_first.clear()

    def _keep_suspects(self, holds: dict[Hashable, Hold]) -> None:
        """Keep copies of the tensors whose next move would need explaining, the smallest first.

        Over the first check those of a few frozen ones are kept too: a run of one step has no other to learn from.
        """
        budget = self._tracked.settings.keep_bytes
        first = 0 if self._tracked.clock.checks else FROZEN_AT_FIRST
        for watched in sorted(self._tracked.unsettled(), key=lambda each: each.row.bytes_here):
            suspect = watched.pursuit > 0 or self._holdings.unexplained(watched, holds.get(watched.entry.key))
            if watched.frozen and not suspect and first:
                suspect, first = True, first - 1
                self._kept_at_first.append(watched)
            watched.keep = suspect and watched.row.bytes_here <= budget
            budget -= watched.row.bytes_here if watched.keep else 0
            watched.take_copy()
