"""The last check: the run is over, and every tensor that is not settled is read once more."""

from __future__ import annotations

from collections.abc import Hashable

from frostline.core.facts import DigestsTaken
from frostline.digest.blocks import tensor_digest
from frostline.observe.checks.flags import Flags
from frostline.observe.checks.step_checks import Checks
from frostline.observe.moves.lagging_copies import note_twins
from frostline.observe.moves.movements import Movements
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked


def look_last(
    tracked: Tracked, flags: Flags, checks: Checks, movements: Movements, pending: Hashable | None = None
) -> None:
    """Read every tensor that is not settled, and tell what only the end of a run can tell.

    Args:
        tracked: what is under observation.
        flags: told for how many steps they were held.
        checks: with what they read, and those that are followed.
        movements: tells of changes.
        pending: an optimizer whose results the script puts into the model when it likes: what moved was its step.
    """
    clock, probe = tracked.clock, tracked.probe
    clock.close()
    probe.refresh()
    flags.poll("the end")
    theirs = probe.holds(pending) if pending is not None else {}
    unsettled = tracked.unsettled()
    made = movements.made(unsettled)
    flags.tell_steps()
    for watched in unsettled:
        start = watched.read_at
        reading = movements.look(watched, made, copying=watched.frozen)
        if reading is None:
            continue
        if (hold := theirs.get(watched.entry.key)) is not None:
            movements.in_step(pending, watched, reading, hold)
            continue
        movement = movements.write(watched, reading, clock.place_since(start), start)
        if watched.frozen_over(start) and clock.steps:
            checks.attribution.name_source(watched, reading, movement)
        elif watched.pursuit > 0:
            checks.attribution.caught(watched, reading, movement)
    movements.tell_compared()
    checks.rows.close()
    checks.going_on.close()
    tracked.journal.fold.settle()
    probe.finish_rows()
    note_twins(tracked.order, probe, tracked.tell)
    if tracked.settings.digests:
        checks.replicas.close()
        for watched in tracked.order:
            _tell_digests(watched, clock.now)
    clock.checks += 1


def _tell_digests(watched: TensorState, now: int) -> None:
    """Tell the first and the present digest; a settled tensor is read once more for it."""
    first = watched.first
    if watched.settled and watched.digest is not None:
        watched.rebase(now)
    if first is not None and watched.digest is not None:
        dtype, shape = watched.row.dtype, watched.row.shape
        one, other = (tensor_digest(digest, dtype, shape) for digest in (first, watched.digest))
        watched.tell(DigestsTaken(tensor=watched.row.id, first=one, last=other))
