"""L7 from facts alone: a model that ends with the bits of an earlier step."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import checked, codes, held, moved, run, violated, weight

from frostline.core import facts
from frostline.core.columns.standstill import Standstill
from frostline.core.ledger import Ledger
from frostline.laws import judge

STEP = {"optimizer": "sgd", "trainable": True, "gradient": "nonzero"}


def ended(*more: facts.Fact) -> Ledger:
    """Two tensors of a model that were trained for 32 steps."""
    two = [
        each for tensor in (0, 1) for each in (*weight(tensor, f"net.{tensor}"), held(tensor), moved(tensor, **STEP))
    ]
    last = facts.OptimizerSeen(optimizer="sgd", last_step=32)
    return run(*two, *checked(*[0.1] * 6), last, *more, steps=32)


def back(step: int, *tensors: int) -> facts.CameBack:
    return facts.CameBack(tensors=tensors, step=step)


def test_the_first_bits_are_a_warning_and_later_ones_a_note() -> None:
    (first,) = judge(ended(back(0, 0, 1)))[0]
    assert (first.code, first.severity, first.tensors) == ("L7", "warning", ["net.0", "net.1"])
    assert "had before the first step: what the last 32 steps made is gone" in first.message
    (later,) = judge(ended(back(8, 0, 1)))[0]
    assert (later.code, later.severity) == ("L7", "note")
    assert "had after step 8: what the last 24 steps made is gone" in later.message
    assert first.hint != later.hint


@pytest.mark.parametrize("seen", [[], [back(8, 0)], [back(8, 0), back(4, 1)]])
def test_a_part_of_a_model_is_no_matter(seen: list[facts.Fact]) -> None:
    assert codes(ended(*seen)) == []


def test_what_is_not_trained_has_no_say() -> None:
    frozen = [*weight(2, "net.2"), held(2), moved(2, **STEP), facts.FlagDeclared(tensor=2, flag=False)]
    unheld = [*weight(3, "net.3"), moved(3, place="outside", trainable=True)]
    assert violated("L7", ended(*frozen, *unheld, back(8, 0, 1))) == {"net.0", "net.1"}


def test_steps_are_those_of_all_optimizers() -> None:
    other = facts.OptimizerFound(optimizer="adam", kind="optimizer", name="Adam")
    seen = facts.OptimizerSeen(optimizer="adam", steps_executed=2, last_step=20)
    (found,) = judge(ended(other, seen, back(8, 0, 1)))[0]
    assert "the last 24 steps" in found.message


def test_an_average_that_was_put_in_and_not_taken_out_is_a_warning_with_the_steps() -> None:
    steps = (8, 16, 24, 30, 31)
    put_in = facts.AveragePutIn(step=31, tensor="net.0", source="average.shadow.0", steps=steps, moved=24)
    (found,) = judge(ended(put_in))[0]
    assert (found.code, found.severity, found.tensors) == ("L7", "warning", ["net.0", "net.1"])
    assert "net went on from average.shadow.0" in found.message
    assert "5 times (after steps 8, 16, 24, 30, …)" in found.message
    assert codes(ended(facts.AveragePutIn(step=9, tensor="gone.0", source="s", steps=(4, 9), moved=4))) == []


@pytest.mark.parametrize(("since", "expected"), [(4, [("L7", "note")]), (8, [("L7", "note")]), (9, [])])
def test_what_stood_still_since_then_has_the_bits_of_that_step_too(since: int, expected: list[tuple[str, str]]) -> None:
    still = facts.StoodStill(tensors=(1,), still=Standstill(2, since, 32, "nonzero"))
    assert [each for each in codes(ended(back(8, 0), still)) if each[0] == "L7"] == expected
