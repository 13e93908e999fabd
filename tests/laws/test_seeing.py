"""L10: models that an optimizer was made for and no step reaches, and tensors that no model lists, from facts alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.laws.test_every_law import checked, held, moved, run, violated, weight

from frostline.core import facts
from frostline.core.ledger import Ledger
from frostline.laws import judge


def passed_by(
    made_at: int = 2, last_step: int = 8, shape: tuple[int, ...] = (4,), *more: facts.Fact, unseen: int = 0
) -> Ledger:
    """SGD steps ``net`` eight times; Adam was made for ``late`` after ``made_at`` of them and never stepped.

    SGD was looked at at steps 1, 2 and 4, but for the first ``unseen`` of them.
    """
    return run(
        *weight(),
        held(),
        moved(optimizer="sgd", trainable=True, gradient="nonzero"),
        *checked(0.1, 0.1, 0.1)[unseen:],
        facts.OptimizerSeen(optimizer="sgd", last_step=last_step),
        *weight(1, "late.w", model="late", shape=shape),
        facts.OptimizerFound(optimizer="adam", kind="optimizer", name="Adam"),
        facts.Held(optimizer="adam", tensors=(1,)),
        facts.OptimizerIdle(step=made_at, optimizer="adam"),
        *more,
    )


def test_a_model_whose_predecessor_is_stepped_in_its_place_is_one_error() -> None:
    [finding] = judge(passed_by())[0]
    assert (finding.code, finding.severity, finding.tensors) == ("L10", "error", ["late.w"])
    assert "made after step 2 for 1 tensor (4 parameters) of late and never stepped" in finding.message
    assert "the 6 steps since then trained net" in finding.message


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("made before the first step: a later stage that did not come", {"made_at": 0}),
        ("before the other one stepped", {"made_at": 1, "last_step": 2}),
        ("a model of another shape: a stage of its own", {"shape": (2, 2)}),
        ("just before the end", {"last_step": 4}),
        ("before the other one was seen to step", {"unseen": 2}),
        ("nobody saw the other one step", {"unseen": 3}),
    ],
)
def test_an_optimizer_that_waits_is_healthy(case: str, seen: dict[str, Any]) -> None:
    assert violated("L10", passed_by(**seen)) == set(), case


def test_it_is_one_where_the_other_stepped_just_before_and_for_a_few_steps_since() -> None:
    assert violated("L10", passed_by(unseen=1)) == {"late.w"}
    assert violated("L10", passed_by(last_step=5)) == {"late.w"}


def test_an_optimizer_that_was_made_for_nothing_is_passed_by_nobody() -> None:
    frozen = [facts.FlagDeclared(tensor=tensor, flag=False, again=True) for tensor in (0, 1)]
    assert violated("L10", passed_by(2, 8, (4,), *frozen)) == set()


def test_what_moved_all_the_same_or_is_stepped_by_another_is_none() -> None:
    assert violated("L10", passed_by(2, 8, (4,), moved(1, "between"))) == set()
    assert violated("L10", passed_by(2, 8, (4,), facts.Held(optimizer="sgd", tensors=(1,)))) == set()


def stray(*more: facts.Fact) -> Ledger:
    """A parameter that no model lists, which a backward pass reached, beside one that SGD trains."""
    reached = facts.TensorSeen(tensor=1, reached_by_backward=True)
    trained = [*weight(), held(), moved(optimizer="sgd", trainable=True, gradient="nonzero")]
    return run(*trained, *weight(1, "net.blocks.0", registered=False), reached, *more)


def test_a_tensor_that_no_model_lists_is_found_where_a_backward_pass_reached_it() -> None:
    assert violated("L10", stray()) == {"net.blocks.0"}
    assert violated("L10", stray(facts.Unread(tensor=1, reason="gone"))) == set()
    assert violated("L10", stray(facts.Held(optimizer="sgd", tensors=(1,)))) == set()


@pytest.mark.parametrize(
    ("excuse", "proof"),
    [
        ("trained before", facts.ModuleSeen(tensors=(1,), default_initialised=False)),
        ("lent", facts.TensorSeen(tensor=2, loaded=True)),
    ],
)
def test_a_network_that_only_computes_gradients_is_excused(
    monkeypatch: pytest.MonkeyPatch, excuse: str, proof: facts.Fact
) -> None:
    monkeypatch.setattr("frostline.laws.explain", lambda run: [])
    lent = [facts.TensorSeen(tensor=1, model="guide"), *weight(2, "guide.w", model="guide")]
    assert [each.excuse for each in judge(stray(*lent))[1] if each.law == "L10"] == []
    assert [each.excuse for each in judge(stray(*lent, proof))[1] if each.law == "L10"] == [excuse]
