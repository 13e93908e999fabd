"""Each disagreement that was met, made as small as it goes: what was wrong is said, and both sides see the same now."""

from __future__ import annotations

import pytest
from oracle.plans import Block, Kind, Mutation, Plan

from oracle import compare

PLAIN, NORMED, FROZEN = Block("none", frozen=False), Block("batch", frozen=False), Block("batch", frozen=True)


def small(
    blocks: tuple[Block, ...], steps: int, kind: Kind, *mutations: Mutation, average: float | None = None
) -> Plan:
    """A training without what is seldom needed."""
    return Plan(1, blocks, steps, kind, "constant", 1, False, average, mutations)


LEFT_IN_EVAL = Mutation("left in eval", 0, 0)
KEPT = {
    # The flags went off before weights had been trained for long: statistics that stay beside them are no fault.
    "frozen after two steps in eval": small((PLAIN, NORMED), 6, "sgd", LEFT_IN_EVAL, Mutation("zero gradient", 1, 2)),
    "frozen after four steps in eval": small((PLAIN, NORMED), 6, "sgd", LEFT_IN_EVAL, Mutation("zero gradient", 1, 4)),
    # Weights that merely decay are not trained.
    "decay alone in eval": small((PLAIN, NORMED), 6, "decay", LEFT_IN_EVAL, Mutation("no loss", 0, 0)),
    # A tensor and its average have the same bits after every step: who follows whom is shown by what steps moved.
    "momentum beside a hard copy": small((PLAIN, NORMED), 9, "momentum", Mutation("zero gradient", 1, 2), average=1.0),
    "Adam beside a hard copy": small((NORMED, PLAIN), 30, "adam", Mutation("zero gradient", 0, 1), average=1.0),
    "AdamW beside a hard copy": small((NORMED, PLAIN), 9, "adamw", Mutation("zero gradient", 0, 2), average=1.0),
    # Statistics gather themselves, and are not taken for those of the copy that is given their bits.
    "statistics beside a hard copy": small(
        (PLAIN, NORMED), 6, "adam", Mutation("stale gradient", 1, 1), Mutation("leave out", 1, 0), average=1.0
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_both_sides_see_the_same(name: str) -> None:
    found = compare.disagreement(KEPT[name])
    assert found is None, (found.missed, found.alarms)
