"""Movements: a change that was read becomes a fact, with everything known about the moment."""

from __future__ import annotations

from collections.abc import Hashable

from frostline.core.facts import Moved
from frostline.core.ledger import Gradient, Movement, OptimizerRow, Place
from frostline.observe.holdings import Holdings
from frostline.observe.protocols import Hold
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.tracked import Tracked


class Movements:
    """Tells of changes.

    Args:
        tracked: what the tensors are of.
        holdings: knows the gradients that went into a step.
    """

    def __init__(self, tracked: Tracked, holdings: Holdings) -> None:
        self._tracked = tracked
        self._holdings = holdings

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
