"""Frostline and brute force agree on random trainings; where a law is taken away, they do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from oracle.copies import Copies
from oracle.plans import Block, Mutation, Plan, Saving, plan

import frostline
from frostline import laws
from frostline.core.record import Finding
from oracle import compare, judge, trainings

SEEDS = range(12)
EVERY_KIND = {
    *("write", "write by data", "write by numpy", "undone write", "leave out", "cut", "rate zero", "stale gradient"),
    *("zero gradient", "take gradient", "in training", "left in eval", "no loss", "replace", "held twice"),
    *("foreign optimizer", "no steps", "put back", "save older", "save a part"),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_both_sides_see_the_same(seed: int) -> None:
    found = compare.disagreement(plan(seed), trainings.run)
    assert found is None, (found.missed, found.alarms)


def test_the_seeds_make_every_kind_of_mutation() -> None:
    plans = [plan(seed) for seed in range(400)]
    assert {each.what for one in plans for each in one.mutations} == EVERY_KIND
    assert any(not one.mutations for one in plans)


def without(law: str) -> Callable[[object], list[Finding]]:
    """All causes but those of a law."""
    explain = laws.explain
    return lambda run: [each for each in explain(run) if laws.LAW_OF[each.rule] not in OF[law]]  # type: ignore[arg-type]


OF = {
    "L1": {"L1"},
    "L2": {"L2", "L3", "L4", "L10"},
    "L3": {"L3"},
    "L4": {"L2", "L3", "L4", "L10"},
    "L5": {"L5"},
    "L7": {"L7"},
    "L9": {"L9"},
}
BROKEN = {
    "L1": Mutation("write", 0, 5),
    "L2": Mutation("cut", 1, 0),
    "L3": Mutation("held twice", 1, 0),
    "L4": Mutation("no loss", 0, 0),
    "L5": Mutation("in training", 0, 0),
    "L7": Mutation("put back", 0, 0),
    "L9": Mutation("save older", 0, 0),
}
SAVING: dict[str, Saving] = dict.fromkeys(OF, "none") | {"L9": "at the end"}


@pytest.mark.parametrize("law", OF)
def test_a_law_that_is_taken_away_is_missed(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = (Block("batch", frozen=True), Block("none", frozen=False), Block("none", frozen=False))
    broken = Plan(1, blocks, 9, "sgd", "constant", 2, False, None, (BROKEN[law],), saving=SAVING[law])
    assert compare.disagreement(broken, trainings.run) is None
    monkeypatch.setattr(laws, "explain", without(law))
    monkeypatch.setattr(laws, "LAWS", tuple(each for each in laws.LAWS if each.code not in OF[law]))
    found = compare.disagreement(broken, trainings.run)
    assert found is not None
    assert law in {code for code, _ in found.missed}


def test_an_untrained_file_is_an_error_where_a_copy_is_in_the_model_too() -> None:
    back = Plan(
        1, plan(0).blocks, 9, "sgd", "constant", 1, False, 0.1, (Mutation("put back", 0, 0),), saving="at the end"
    )
    with frostline.watch() as seen:
        trainings.run(back, Copies())
    assert [each.severity for each in seen.report.record.findings if each.code == "S602"] == ["error"]


def test_a_finding_too_many_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = Plan(1, plan(0).blocks, 9, "sgd", "constant", 1, False, None)
    assert compare.disagreement(healthy, trainings.run) is None
    monkeypatch.setattr(judge, "violations", lambda copies: set())
    monkeypatch.setattr(judge, "doubtful", lambda copies: set())
    broken = Plan(1, healthy.blocks, 9, "sgd", "constant", 1, False, None, (Mutation("no loss", 0, 0),))
    found = compare.disagreement(broken, trainings.run)
    assert found is not None
    assert found.alarms


def test_a_disagreement_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "explain", without("L2"))
    monkeypatch.setattr(laws, "LAWS", ())
    large = Plan(
        3, plan(0).blocks, 30, "adam", "warm-up", 2, True, 0.1, (Mutation("no loss", 0, 0),), "bfloat16", True, 2
    )
    found = compare.disagreement(large, trainings.run)
    assert found is not None
    small = compare.shrunk(found, trainings.run).plan
    assert (small.optimizers, small.schedule, small.listed, small.average) == (1, "constant", False, None)
    assert (small.dtype, small.tied, small.accumulate, small.steps) == ("float32", False, 1, 6)


def test_the_copies_are_of_every_moment() -> None:
    copies = Copies()
    trainings.run(Plan(1, plan(0).blocks, 9, "sgd", "constant", 2, False, None), copies)
    optimizers = len(copies.held)
    assert len(copies.moments) == 2 + (2 * optimizers + 1) * 9
    assert torch.is_grad_enabled()
