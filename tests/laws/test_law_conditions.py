"""When the laws of holding, stepping and statistics are broken: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import FROZEN, SGD, STEP, TRAINABLE, held, moved, row, run

from frostline.core.events import OptimizerIdle, TrainingCallEmpty
from frostline.core.ledger import Changed, Flip, Holding, Movement, OptimizerRow, Owner, TensorRow
from frostline.laws import holding, motion, seeing, statistics, stepping, stillness
from frostline.laws.law import Violation
from frostline.laws.observed_run import ObservedRun
from frostline.laws.stepping import rate_zero_since

NORM = Owner("norm", "BatchNorm1d", "normalisation", called=True)


def seen(*rows: TensorRow, events: tuple[Any, ...] = (), optimizers: tuple[OptimizerRow, ...] = (SGD,)) -> ObservedRun:
    return ObservedRun(run(rows, *events, optimizers=optimizers))


@pytest.mark.parametrize(
    ("imported", "words"),
    [(("torch", "jax"), "torch"), (("jax", "keras"), "keras"), (("tf_keras",), "tf_keras"), ((), "jax")],
)
def test_hints_are_in_the_words_of_the_framework_that_the_script_uses(imported: tuple[str, ...], words: str) -> None:
    ledger = run([])
    ledger.run.frameworks = dict.fromkeys(imported, "1")
    assert ObservedRun(ledger).framework == words


# L3


@pytest.mark.parametrize(
    ("optimizer", "rows", "found"),
    [
        (SGD, [row("net.w")], True),
        (SGD, [row("net.w", optimizers=held(none=4))], False),
        (SGD, [row("net.w", optimizers=[Holding("sgd", 0, listed=False)])], True),
        (SGD, [row("net.w", declared=FROZEN)], False),
        (SGD, [row("net.w", kind="buffer")], False),
        (SGD, [], False),
        (replace(SGD, steps_executed=3), [row("net.w")], True),
        (replace(SGD, steps_executed=2), [row("net.w")], False),
        (replace(SGD, by_hand=True), [row("net.w")], False),
        (replace(SGD, stateless=True), [row("net.w")], False),
        (replace(SGD, checks=[]), [row("net.w")], False),
    ],
)
def test_an_optimizer_that_holds_nothing_of_any_model(
    optimizer: OptimizerRow, rows: list[TensorRow], found: bool
) -> None:
    violations = list(holding.violations(seen(*rows, optimizers=(optimizer,))))
    assert [each.message.endswith("and holds no tensor of any model") for each in violations] == [True] * found


def test_tensors_of_no_model_are_counted() -> None:
    [found] = holding.violations(seen(row("net.w"), optimizers=(replace(SGD, foreign_shapes=[(4,), (2,)]),)))
    assert found.message == "sgd stepped 8 times and holds no tensor of any model, and 2 tensors of no model"


# L4


def stepped(*rows: TensorRow, events: tuple[Any, ...] = (), **optimizer: Any) -> list[Violation]:
    return list(stepping.violations(seen(*rows, events=events, optimizers=(replace(SGD, **optimizer),))))


STILL = row("net.w", optimizers=held(nonzero=4))


@pytest.mark.parametrize(
    ("optimizer", "done"),
    [
        ({}, "8 steps of sgd"),
        ({"steps_executed": 3}, "3 steps of sgd"),
        ({"steps_executed": 2}, None),
        ({"steps_executed": 2, "steps_skipped": 1}, "2 steps of sgd"),
        ({"steps_executed": 0, "steps_skipped": 3}, "3 skipped steps of sgd"),
        ({"steps_executed": 0, "backwards": 3}, "3 backward passes without a step of sgd"),
        ({"steps_executed": 0, "backwards": 2}, None),
        ({"by_hand": True}, None),
    ],
)
def test_what_moved_nothing(optimizer: dict[str, Any], done: str | None) -> None:
    facts = [each.message for each in stepped(STILL, **optimizer)]
    assert facts == [f"{done} moved nothing: all 1 tensor (4 parameters) that it holds did not change"] * bool(done)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([STILL, replace(STILL, name="net.v", declared=FROZEN, changed=moved(STEP))], True),
        ([STILL, replace(STILL, name="net.v", changed=moved(STEP))], False),
        ([replace(STILL, declared=FROZEN)], False),
        ([replace(STILL, changed=Changed("unknown", reason="freed"))], False),
        ([replace(STILL, optimizers=[])], False),
    ],
)
def test_all_that_an_optimizer_was_to_train_stood_still(rows: list[TensorRow], found: bool) -> None:
    assert bool(stepped(*rows)) is found


def test_an_optimizer_that_was_made_late_and_never_used_is_no_violation() -> None:
    assert stepped(STILL, events=(OptimizerIdle(step=4, optimizer="sgd"),)) == []
    assert stepped(STILL, events=(OptimizerIdle(step=0, optimizer="sgd"),))


def test_values_that_the_script_keeps_itself_leave_the_optimizer_whole() -> None:
    kept = [Holding("sgd", 0, unassigned=True)]
    [found] = stepped(replace(STILL, optimizers=kept))
    assert not found.whole
    [found] = stepped(replace(STILL, optimizers=kept), replace(STILL, name="net.v"))
    assert found.whole


@pytest.mark.parametrize(
    ("checks", "rates", "executed", "since"),
    [
        ([1, 2, 4, 8], [0.1, 0.1, 0.0, 0.0], 8, (2, 4)),
        ([1, 2, 4, 8], [0.1, 0.1, 0.1, 0.0], 8, None),  # one check alone
        ([1, 2, 4, 8], [0.0, 0.0, 0.0, 0.0], 8, None),  # never any
        ([1, 2, 4, 8], [0.1, 0.0, 0.0, 0.1], 8, None),
        ([1, 4, 8], [0.1, 0.0, 0.0], 6, (1, 4)),  # a third
        ([1, 5, 8], [0.1, 0.0, 0.0], 7, None),
        ([1, 2, 4], [0.1, None, None], 8, None),  # not known to be zero
    ],
)
def test_since_when_a_rate_is_zero(
    checks: list[int], rates: list[float | None], executed: int, since: tuple[int, int] | None
) -> None:
    assert rate_zero_since(replace(SGD, checks=checks, rates=rates, steps_executed=executed)) == since


@pytest.mark.parametrize(
    ("tensors", "first_epoch", "fact"),
    [
        (("net.w", "net.gone"), 5, "fit of net made no step after step 4 of the run: it was to go from epoch 5 to 5"),
        (("net.w",), 0, "fit of net made no step after step 4 of the run"),
        (("net.gone",), 5, None),
    ],
)
def test_calls_that_ran_no_epoch(tensors: tuple[str, ...], first_epoch: int, fact: str | None) -> None:
    call = TrainingCallEmpty(step=4, model="net", tensors=tensors, first_epoch=first_epoch, epochs=5)
    trained = replace(STILL, changed=moved(STEP))
    assert [each.message for each in stepped(trained, events=(call,))] == [fact] * bool(fact)


# L5

SCALE = row("net.norm.w", owner=NORM, changed=moved(STEP), optimizers=held(nonzero=4))
MEAN = row("net.norm.mean", kind="buffer", owner=NORM, declared=FROZEN)
UNSEEN = replace(NORM, called=None)


def gathered(scale: dict[str, Any], mean: dict[str, Any], steps: int = 8) -> list[str]:
    rows = replace(SCALE, **scale), replace(MEAN, **mean)
    found = statistics.violations(seen(*rows, optimizers=(replace(SGD, steps_executed=steps),)))
    return [tensor.name for each in found for tensor in each.tensors]


@pytest.mark.parametrize(
    ("scale", "mean", "found"),
    [
        ({}, {}, True),
        ({}, {"kind": "parameter"}, False),
        ({}, {"dtype": "int64"}, False),
        ({}, {"dtype": "bfloat16"}, True),
        ({}, {"changed": moved(Movement("forward", 0, 1))}, False),
        ({}, {"changed": Changed("unknown", reason="freed")}, False),
        ({}, {"owner": replace(NORM, role="other")}, False),
        ({}, {"owner": replace(NORM, path="other")}, False),
        ({}, {"owner": replace(NORM, called=False)}, False),
        ({}, {"owner": UNSEEN}, False),
        ({}, {"owner": UNSEEN, "zeros": True}, True),
        ({"kind": "buffer", "dtype": "int64"}, {}, False),
        ({"declared": FROZEN}, {}, False),
        ({"declared": replace(FROZEN, flips=[Flip(4, False)], trainable_steps=4)}, {}, True),
        ({"declared": replace(TRAINABLE, flips=[Flip(6, True)], trainable_steps=2)}, {}, False),
        ({"changed": moved(replace(STEP, gradient="zero"))}, {}, False),
        ({"changed": moved(replace(STEP, gradient="zero"), STEP)}, {}, True),
        ({"changed": moved(replace(STEP, place="outside"))}, {}, False),
        ({"optimizers": []}, {}, False),
    ],
)
def test_statistics_that_stood_still_beside_trained_weights(
    scale: dict[str, Any], mean: dict[str, Any], found: bool
) -> None:
    assert gathered(scale, mean) == ["net.norm.mean"] * found


@pytest.mark.parametrize(("steps", "found"), [(3, True), (2, False)])
def test_statistics_are_given_a_few_steps(steps: int, found: bool) -> None:
    assert bool(gathered({}, {}, steps)) is found


def test_layers_of_a_model_are_told_together() -> None:
    second = [replace(each, name=f"{each.name}2", owner=replace(each.owner, path="norm2")) for each in (SCALE, MEAN)]
    [found] = statistics.violations(seen(SCALE, MEAN, *second))
    assert found.message == (
        "running statistics of net never moved in 8 steps that trained the weights beside them: "
        "2 tensors (8 values) of 2 normalisations, which were called"
    )
    kept = [replace(each, owner=replace(each.owner, in_training=False)) for each in (SCALE, MEAN)]
    [found] = statistics.violations(seen(*kept))
    assert found.message.endswith("of 1 normalisation, which were only ever called in eval mode")


# L1

FROZEN_STEP = replace(STEP, trainable=False)
OUTSIDE = Movement("outside", 3, 4, trainable=False)
TOGETHER = "was copied together with ema.w, which follows net.w"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"changed": moved(FROZEN_STEP)}, True),
        ({"changed": moved(STEP)}, False),
        ({"changed": replace(moved(FROZEN_STEP), verdict="no")}, False),  # it was put back
        ({"changed": moved(STEP), "expected": "frozen"}, True),
        ({"changed": moved(STEP), "expected": "trained"}, False),
        ({"changed": Changed("yes"), "expected": "frozen"}, False),  # it is not known when
    ],
)
def test_what_moved_while_it_was_frozen(more: dict[str, Any], found: bool) -> None:
    assert stillness.moved_while_frozen(row("net.w", **more)) is found
    assert bool(list(stillness.violations(seen(row("net.w", **more))))) is found


@pytest.mark.parametrize(
    ("name", "more", "proof"),
    [
        ("ema.w", {"changed": replace(moved(OUTSIDE), followed="net.w")}, "follows net.w"),
        ("ema.b", {}, TOGETHER),
        ("ema.b", {"expected": "frozen"}, None),
        ("net.b", {}, None),
    ],
)
def test_what_follows_others_may_move_while_it_is_frozen(name: str, more: dict[str, Any], proof: str | None) -> None:
    follower = row("ema.w", declared=FROZEN, changed=replace(moved(OUTSIDE), followed="net.w"))
    tensor = row(name, **({"declared": FROZEN, "changed": moved(OUTSIDE)} | more))
    [following] = [each for each in stillness.LAW.excuses if each.name == "follows"]
    known = seen(follower, row("net.w", changed=moved(STEP)), tensor)
    assert following.proofs(known)(tensor) == proof


# L2


@pytest.mark.parametrize(
    ("more", "still"),
    [
        ({}, True),
        ({"kind": "buffer"}, False),
        ({"kind": "buffer", "expected": "trained"}, True),
        ({"declared": FROZEN}, False),
        ({"declared": replace(TRAINABLE, trainable=False)}, False),
        ({"declared": replace(FROZEN, first=True)}, False),
        ({"declared": FROZEN, "expected": "trained"}, True),
        ({"declared": replace(TRAINABLE, first=None)}, True),
        ({"declared": replace(TRAINABLE, first=False, trainable_steps=3)}, True),
        ({"declared": replace(TRAINABLE, first=False, trainable_steps=2)}, False),
        ({"declared": replace(TRAINABLE, flips=[Flip(4, True)], trainable_steps=2)}, False),
        ({"changed": moved(STEP)}, False),
        ({"changed": Changed("unknown", reason="freed")}, False),
        ({"size": 0}, False),
        ({"gone": True}, False),
        ({"sharded": True}, False),
    ],
)
def test_what_was_to_be_trained_and_kept_its_bits(more: dict[str, Any], still: bool) -> None:
    assert motion.stood_still(row("net.w", **more), patience=3) is still


@pytest.mark.parametrize(
    ("more", "patience", "found"),
    [
        ({}, 3, True),
        ({}, 8, True),
        ({}, 9, False),
        ({"name": "other.w"}, 3, False),
        ({"name": "other.w", "expected": "trained"}, 3, True),
    ],
)
def test_only_models_that_are_trained_are_to_move(more: dict[str, Any], patience: int, found: bool) -> None:
    rows = row(**({"name": "net.w"} | more)), row("net.v", changed=moved(STEP), optimizers=held(nonzero=4))
    observed = ObservedRun(run(rows, patience=patience))
    assert [each.tensors for each in motion.violations(observed)] == [(rows[0],)] * found


# L10


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, True),
        ({"registered": True}, False),
        ({"reached_by_backward": False}, False),
        ({"reached_by_backward": None}, False),
        ({"optimizers": held(none=4)}, False),
        ({"changed": moved(STEP)}, False),
    ],
)
def test_a_tensor_of_no_model_that_a_backward_pass_reached(more: dict[str, Any], found: bool) -> None:
    stray = row("net.w", **({"registered": False, "reached_by_backward": True} | more))
    assert [each.tensors for each in seeing.violations(seen(stray))] == [(stray,)] * found
