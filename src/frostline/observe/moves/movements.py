"""Readings and movements: what the bits are now, and what is known of the moment when they are others than before."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from frostline.core.facts import Compared, Moved
from frostline.core.ledger import Gradient, Movement, OptimizerRow, Place
from frostline.digest.blocks import Digest
from frostline.observe.holdings import Holdings
from frostline.observe.protocols import Hold
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.tracked import Tracked


class Movements:
    """Reads tensors, and tells which were compared and which of them changed.

    Args:
        tracked: what the tensors are of.
        holdings: knows the gradients that went into a step.
    """

    def __init__(self, tracked: Tracked, holdings: Holdings) -> None:
        self._tracked = tracked
        self._holdings = holdings
        self._compared: list[int] = []  # which one fact names together
        self._outside: dict[int, list[int]] = {}  # those that no step moved, by the half-step of their last reading

    def made(self, tensors: Iterable[TensorState]) -> dict[Hashable, Digest]:
        """The present digests of those tensors whose accelerator makes them, in one batch."""
        return self._tracked.probe.digests([watched.entry for watched in tensors])

    def look(self, watched: TensorState, made: dict[Hashable, Digest], copying: bool = False) -> Reading | None:
        """What a look at one tensor finds: None where it has the bits of its last reading."""
        clock, digest = self._tracked.clock, made.get(watched.entry.key)
        reads = watched.reads
        reading = watched.look(clock.now, whole=watched.frozen, copying=copying, made=digest, last=clock.closing)
        if watched.reads > reads:
            self._compared.append(watched.row.id)
        self._tracked.notice.read(watched.row.bytes_here)
        return reading

    def tell_compared(self) -> None:
        """Tell which tensors were compared since the last time."""
        if self._compared:
            self._tracked.tell(Compared(step=self._tracked.clock.now // 2, tensors=tuple(self._compared)))
            self._compared.clear()
        if self._outside:
            self._tracked.lines.tell_around(self._outside)
            self._outside.clear()

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
        """Tell of a change between the half-step ``start`` and now."""
        row, clock, journal = watched.row, self._tracked.clock, self._tracked.journal
        unseen = clock.closing and clock.steps_unseen
        set_up = clock.steps == 0 and place in ("between", "outside") and not unseen  # loading, initialising
        moved = Moved(
            tensor=row.id,
            move=next(journal.moves),
            place=place,
            since=start // 2,
            until=clock.now // 2 if place == "step" or clock.closing else (clock.now + 1) // 2,
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
            late=clock.closing and place != "step",
            set_up=set_up,
        )
        self._tracked.tell(moved)
        movement = journal.fold.moves[moved.move]
        if place == "outside" and optimizer is None and event is None and not set_up:
            self._outside.setdefault(start, []).append(row.id)
        if not set_up and place in ("between", "outside", "forward") and not watched.frozen:
            watched.settled = not any(_may_be_decay(move) for move in row.changed.movements)
        return movement

    def in_step(self, key: Hashable, watched: TensorState, reading: Reading, hold: Hold | None = None) -> Movement:
        """Tell of a change that happened inside the step just done, with the gradient that went into it."""
        optimizer = self._tracked.optimizers[key]
        hold = hold or self._tracked.probe.holds(key).get(watched.entry.key)
        gradient = self._holdings.gradient_of(watched, hold)
        place: Place = "outside" if optimizer.by_hand else "step"
        start = self._tracked.clock.now - 1
        return self.write(watched, reading, place, start, optimizer=optimizer, hold=hold, gradient=gradient)


def _may_be_decay(movement: Movement) -> bool:
    """Whether a step made the move without a gradient, so that later moves must tell whether decay is all there is."""
    factor = movement.shift is not None and movement.shift.ratio is not None
    return movement.place == "step" and (factor or movement.gradient == "zero")
