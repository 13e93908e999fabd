"""Where a still tensor is looked for, and what stands in its place: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import DECAY, FROZEN, SGD, STEP, STEPS, TRAINABLE, held, moved, row, run

from frostline.core.events import TensorReplaced
from frostline.core.ledger import Changed, Declared, Flip, Holding, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge
from frostline.laws.causes.trainable import misdirection, neighbours, still
from frostline.laws.causes.trainable.still import Still
from frostline.laws.observed_run import ObservedRun

ADAM = OptimizerRow("adam", "optimizer", "Adam", steps_executed=4, last_step=8, checks=[1], checked_at=[5])
IDLE = replace(SGD, steps_executed=0, checks=[], checked_at=[])


def seen(*rows: TensorRow, events: tuple[Any, ...] = (), optimizers: tuple[OptimizerRow, ...] = (SGD,)) -> ObservedRun:
    return ObservedRun(run(rows, *events, optimizers=optimizers))


@pytest.mark.parametrize(
    ("tensor", "optimizers", "situation"),
    [
        (row("net.w", changed=moved(STEP), optimizers=held(nonzero=4)), (SGD,), "moved"),
        (row("net.w", changed=Changed("unknown", reason="freed")), (SGD,), "unknown"),
        (row("net.w", optimizers=held(nonzero=4)), (SGD,), "held"),
        (row("net.w", optimizers=held(nonzero=4)), (IDLE,), "at rest"),
        (row("net.w", optimizers=held(nonzero=4)), (replace(IDLE, steps_skipped=9),), "skipped"),
        (row("net.w", optimizers=held(nonzero=4)), (replace(SGD, steps_executed=1, steps_skipped=9),), "held"),
        (row("net.w", registered=False), (SGD,), "unregistered"),
        (row("net.w"), (SGD,), "unheld"),
        (row("net.w"), (replace(SGD, checks=[]),), "told elsewhere"),
        (row("net.w", optimizers=[Holding("sgd", 0, captured=False)]), (IDLE,), "unheld"),
    ],
)
def test_where_its_cause_is_looked_for(tensor: TensorRow, optimizers: tuple[OptimizerRow, ...], situation: str) -> None:
    assert Still(tensor, seen(tensor, optimizers=optimizers)).situation == situation


@pytest.mark.parametrize(("executed", "skipped", "mostly"), [(1, 9, True), (2, 8, False), (0, 0, False), (0, 1, True)])
def test_nine_in_ten_steps_skipped_are_most(executed: int, skipped: int, mostly: bool) -> None:
    assert still.mostly_skipped(replace(SGD, steps_executed=executed, steps_skipped=skipped)) is mostly


@pytest.mark.parametrize(
    ("times", "reached", "remade"), [(2, None, True), (1, None, False), (2, True, False), (0, None, False)]
)
def test_what_is_made_again_and_again_without_a_gradient_is_remade(
    times: int, reached: bool | None, remade: bool
) -> None:
    tensor = row("net.w", reached_by_backward=reached)
    events = tuple(TensorReplaced(step=step, tensor=0, name="net.w", by="Net") for step in range(times))
    other = TensorReplaced(step=9, tensor=1, name="net.other", by="Net")
    assert still.is_remade(tensor, seen(tensor, events=(*events, other))) is remade


def former(path: str, **more: Any) -> TensorRow:
    return row(f"net.{path}.former", gone=True, owner=Owner(path, "Linear"), **more)


def test_what_a_tensor_replaced_is_gone_and_was_in_its_module_or_its_parametrization() -> None:
    here = row("net.a.w", owner=Owner("a", "Linear"))
    root = row("net.w", owner=Owner("", "Net"))
    gone = former("a"), former("a.parametrizations.w"), former("ab"), former("parametrizations.w")
    alive = replace(former("a"), name="net.a.alive", gone=False)
    observed = seen(here, root, alive, *gone)
    assert still.predecessors(here, observed) == [gone[0], gone[1]]
    assert still.predecessors(root, observed) == [gone[3]]
    assert still.predecessors(gone[0], observed) == []


@pytest.mark.parametrize(
    ("successor", "has"),
    [
        (row("net.a.w", owner=Owner("a", "Linear")), True),
        (row("net.a.w", owner=Owner("a", "Linear"), optimizers=held(nonzero=1)), False),
        (row("net.b.w", owner=Owner("b", "Linear")), False),
        (row("net.a.w", owner=Owner("a", "Linear"), declared=FROZEN), False),
    ],
)
def test_a_successor_that_no_optimizer_holds_speaks_for_the_former(successor: TensorRow, has: bool) -> None:
    gone = former("a", optimizers=held(none=4))
    assert still.has_successor(gone, seen(gone, successor)) is has
    assert still.has_successor(replace(gone, gone=False), seen(gone, successor)) is False


def starved(steps: int = STEPS) -> OptimizerRow:
    return replace(SGD, no_gradient_at_last_check=True, steps_executed=steps)


def test_an_optimizer_steps_the_namesake_of_another_model() -> None:
    used, mine = row("net.w", reached_by_backward=True), row("old.w", optimizers=held(none=4))
    observed = seen(used, mine, optimizers=(starved(),))
    assert misdirection.exchanged(used, observed) == (starved(), mine)
    assert misdirection.taken_for_another(mine, observed)
    assert misdirection.exchanged(replace(used, reached_by_backward=None), observed) is None
    assert misdirection.exchanged(used, seen(used, mine)) is None
    assert misdirection.exchanged(used, seen(used, mine, optimizers=(starved(0),))) is None
    assert not misdirection.taken_for_another(mine, seen(used, mine))


@pytest.mark.parametrize(
    "other",
    [
        {"name": "net.v"},
        {"shape": (9,)},
        {"kind": "buffer"},
        {"model": "old"},
        {"reached_by_backward": None},
        {"optimizers": held(none=4)},
    ],
)
def test_what_differs_or_is_not_left_out_has_no_namesake_in_its_place(other: dict[str, Any]) -> None:
    used, mine = row("net.w", reached_by_backward=True), row("old.w", optimizers=held(none=4))
    observed = seen(replace(used, **other), mine, optimizers=(starved(),))
    assert not misdirection.taken_for_another(mine, observed)


def test_an_optimizer_goes_on_with_the_former_tensor() -> None:
    tensor = row("net.w", replaced_at=2, changed=moved(STEP))
    holds = replace(SGD, foreign_shapes=[(4,)])
    assert misdirection.gone_on(tensor, seen(tensor, optimizers=(holds,))) == (holds, 2)
    assert misdirection.gone_on(tensor, seen(tensor)) is None
    other_shape = replace(SGD, foreign_shapes=[(5,)])
    assert misdirection.gone_on(tensor, seen(tensor, optimizers=(other_shape,))) is None
    former = row("net.w.former", changed=Changed("yes", followed="net.w"), optimizers=held(none=4))
    assert misdirection.gone_on(tensor, seen(tensor, former)) == (SGD, 2)
    for other in (replace(former, shape=(5,)), replace(former, optimizers=[]), replace(former, changed=moved(STEP))):
        assert misdirection.gone_on(tensor, seen(tensor, other)) is None
    over = replace(holds, last_step=2)
    assert misdirection.gone_on(tensor, seen(tensor, optimizers=(over,))) is None
    still_moves = row("net.w", replaced_at=0, changed=moved(STEP))
    assert misdirection.gone_on(still_moves, seen(still_moves, optimizers=(holds,))) is None


def test_a_copied_optimizer_took_over_and_has_copies() -> None:
    tensor = row("net.w", changed=moved(STEP), optimizers=[Holding("sgd", 0), Holding("early", 0)])
    sgd = replace(SGD, last_step=4)
    early = replace(SGD, id="early", last_step=1)
    copied = replace(ADAM, foreign_shapes=[(4,)], no_gradient_at_last_check=True)
    assert misdirection.gone_on(tensor, seen(tensor, optimizers=(sgd, early, copied))) == (copied, 4)
    for other in (
        replace(copied, checked_at=[4]),  # began while the first one still stepped
        replace(copied, checked_at=[]),
        replace(copied, no_gradient_at_last_check=False),
        replace(copied, holds=3),
        replace(copied, foreign_shapes=[(5,)]),
    ):
        assert misdirection.gone_on(tensor, seen(tensor, optimizers=(sgd, early, other))) is None
    assert misdirection.gone_on(replace(tensor, gone=True), seen(tensor, optimizers=(sgd, early, copied))) is None


def of(slug: str, *rows: TensorRow, optimizers: tuple[OptimizerRow, ...] = (SGD,)) -> list[Finding]:
    return [finding for finding in judge(run(rows, optimizers=optimizers))[0] if finding.rule == slug]


@pytest.mark.parametrize(("checks", "found"), [([1], True), ([], False)])
def test_skipped_steps_of_an_optimizer_that_was_read_are_told(checks: list[int], found: bool) -> None:
    skipping = replace(SGD, steps_executed=1, steps_skipped=19, checks=checks)
    frozen = row("net.w", declared=FROZEN, optimizers=held(nonzero=1))
    assert [each.tensors for each in of("steps-skipped", frozen, optimizers=(skipping,))] == [["net.w"]] * found


@pytest.mark.parametrize(
    ("optimizer", "holds", "found"),
    [
        (SGD, True, True),
        (SGD, False, True),
        (replace(SGD, kind="compiled-step"), True, False),
        (replace(SGD, kind="compiled-step", stateless=True), True, True),
        (replace(SGD, kind="compiled-step", stateless=True), False, False),
        (replace(SGD, steps_executed=0), True, False),
        (replace(SGD, foreign_shapes=[(4,)]), True, False),
        (replace(SGD, by_hand=True), True, False),
    ],
)
def test_an_optimizer_of_frozen_tensors_trained_nothing(optimizer: OptimizerRow, holds: bool, found: bool) -> None:
    frozen = row("net.w", declared=FROZEN, optimizers=held(nonzero=4) if holds else [])
    assert bool(of("nothing-trained", frozen, optimizers=(optimizer,))) is found


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (replace(ADAM, foreign_shapes=[(4,)]), True),
        (replace(ADAM, foreign_shapes=[(5,)]), False),
        (replace(ADAM, foreign_shapes=[(4,)], steps_executed=0, checks=[], checked_at=[]), False),
    ],
)
def test_a_copy_of_an_optimizer_at_rest_steps_other_tensors(other: OptimizerRow, found: bool) -> None:
    at_rest = row("net.w", optimizers=held(nonzero=4))
    assert bool(of("optimizer-holds-other-tensors", at_rest, optimizers=(IDLE, other))) is found


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, True),
        ({"declared": replace(FROZEN, trainable=True)}, False),
        ({"declared": replace(FROZEN, first=True)}, False),
        ({"declared": replace(FROZEN, flip_count=1)}, False),
        ({"changed": Changed("unknown", reason="freed")}, False),
    ],
)
def test_what_may_have_been_trainable_may_have_been_trained(more: dict[str, Any], found: bool) -> None:
    tensor = row("net.w", **({"declared": FROZEN, "optimizers": held(nonzero=4)} | more))
    assert bool(of("nothing-trained", tensor)) is found


NEVER = replace(IDLE, backwards=8)


@pytest.mark.parametrize(
    ("more", "optimizer", "found"),
    [
        ({}, NEVER, True),
        ({}, replace(NEVER, backwards=3), True),  # as many as are waited for
        ({}, replace(NEVER, backwards=2), False),
        ({}, replace(SGD, backwards=8), False),
        ({"reached_by_backward": None}, NEVER, False),
        ({"declared": FROZEN}, NEVER, False),
        ({"changed": moved(STEP)}, NEVER, False),
        ({"changed": Changed("no", before_training=True)}, NEVER, False),
        ({"optimizers": [*held(nonzero=4), Holding("adam", 0)]}, NEVER, False),  # another one steps it
    ],
)
def test_an_optimizer_that_never_stepped(more: dict[str, Any], optimizer: OptimizerRow, found: bool) -> None:
    tensor = row("net.w", **({"optimizers": held(nonzero=4), "reached_by_backward": True} | more))
    told = [each.message for each in of("nothing-trained", tensor, optimizers=(optimizer, ADAM))]
    assert any(each.startswith("sgd never stepped") for each in told) is found


def test_an_optimizer_that_never_stepped_says_that_it_accumulates() -> None:
    tensor = row("net.w", optimizers=held(nonzero=4), reached_by_backward=True)
    waits = replace(NEVER, groups=[{"lr": 0.1}, {"accumulates": 16}])
    [finding] = of("nothing-trained", tensor, optimizers=(waits,))
    assert "never stepped in 8 backward passes, because it accumulates 16 of them: 1 tensor (4" in finding.message


@pytest.mark.parametrize(("beside", "why"), [(True, "parameters() does not list a buffer"), (None, "change: no opt")])
def test_a_buffer_in_no_optimizer_is_no_parameter(beside: bool | None, why: str) -> None:
    trained = row("net.linear.bias", changed=moved(STEP), optimizers=held(nonzero=4))
    rows = [row(f"net.{name}", as_buffer=buffer) for name, buffer in (("mask", True), ("grid", beside))]
    told = [each.message for each in of("not-in-any-optimizer", *rows, trained) if "net.grid" in each.tensors]
    assert [why in message for message in told] == [True]


def test_only_gradients_that_were_counted_were_seen() -> None:
    tensor = row("net.w", optimizers=held(zero=3, none=0))
    assert Still(tensor, seen(tensor)).gradients == {"zero"}


@pytest.mark.parametrize(
    ("holdings", "trainable", "steps"), [(1, 8, 4), (1, 3, 3), (1, 0, 1), (0, 3, 3), (0, 0, 0), (2, 8, 8)]
)
def test_in_how_many_steps_it_should_have_moved(holdings: int, trainable: int, steps: int) -> None:
    by = [Holding("adam", 0), Holding("sgd", 0)][:holdings]
    tensor = row("net.w", optimizers=by, declared=replace(FROZEN, trainable=True, trainable_steps=trainable))
    assert Still(tensor, seen(tensor, optimizers=(SGD, ADAM))).steps == steps


@pytest.mark.parametrize(("captured", "found"), [(False, True), (None, False), (True, False)])
def test_a_step_that_was_made_without_it_was_made_before_it_was_unfrozen(captured: bool | None, found: bool) -> None:
    tensor = row("net.w", optimizers=[Holding("sgd", 0, captured=captured)])
    assert bool(of("unfrozen-after-compile", tensor, optimizers=(IDLE, ADAM))) is found
    steps = [replace(each, captured=captured) for each in held(nonzero=4)]
    assert bool(of("unfrozen-after-compile", row("net.w", optimizers=steps))) is found


@pytest.mark.parametrize(
    ("first", "flips", "late"),
    [
        (True, [], False),
        (None, [], False),
        (False, [], True),
        (True, [Flip(2, False), Flip(4, True)], True),
        (True, [Flip(2, False)], False),
        (False, [Flip(2, False)], True),
    ],
)
def test_what_was_off_before_came_late(first: bool | None, flips: list[Flip], late: bool) -> None:
    tensor = row("net.w", declared=Declared(trainable=True, first=first, flips=flips))
    assert Still(tensor, seen(tensor)).late is late


@pytest.mark.parametrize(
    ("flips", "count", "last", "situation"),
    [
        ([Flip(4, True)], 1, 3, "held"),  # it moved before it was unfrozen
        ([Flip(4, True)], 1, 4, "moved"),
        ([Flip(4, True)], 9, 3, "moved"),  # one of the flips that were not kept may be the one
        ([Flip(4, False)], 1, 3, "moved"),
        ([Flip(2, True), Flip(3, False), Flip(6, True)], 3, 4, "held"),
    ],
)
def test_what_moved_before_it_was_unfrozen_stood_still_since(
    flips: list[Flip], count: int, last: int, situation: str
) -> None:
    declared = replace(TRAINABLE, flips=flips, flip_count=count)
    tensor = row("net.w", changed=moved(replace(STEP, until=last)), optimizers=held(nonzero=4), declared=declared)
    assert Still(tensor, seen(tensor)).situation == situation


# What became of the tensors beside one


@pytest.mark.parametrize(
    ("more", "trained"),
    [
        ({}, True),
        ({"changed": Changed("no")}, False),
        ({"changed": moved(DECAY)}, False),
        ({"declared": FROZEN}, False),
        ({"declared": replace(FROZEN, flips=[Flip(4, True)])}, True),
        ({"kind": "buffer"}, False),
        ({"owner": Owner("other", "Linear")}, False),
        ({"name": "other.w", "model": "other"}, False),
    ],
)
def test_the_rest_of_a_module_may_be_trained(more: dict[str, Any], trained: bool) -> None:
    tensor, other = row("net.w"), replace(row("net.b", changed=moved(STEP)), **more)
    assert bool(neighbours.rest_of_module(tensor, seen(tensor, other))) is trained


def matrix(name: str, **more: Any) -> TensorRow:
    return replace(row(name, zeros=True), shape=(2, 2), **more)


@pytest.mark.parametrize(
    ("others", "product"),
    [
        ([matrix("net.b")], True),
        ([], False),
        ([matrix("net.b"), row("net.bias", zeros=True)], True),
        ([row("net.bias", zeros=True)], False),  # no matrix
        ([matrix("net.b", zeros=False)], False),
        ([matrix("net.b", zeros=None)], False),
        ([matrix("net.b", declared=FROZEN)], False),
        ([matrix("net.b", owner=Owner("other", "Linear"))], False),
    ],
)
def test_two_matrices_of_zeros_never_get_a_gradient_from_their_product(others: list[TensorRow], product: bool) -> None:
    tensor = matrix("net.a")
    assert neighbours.factor_of_zeros(tensor, seen(tensor, *others)) is product
    assert not neighbours.factor_of_zeros(replace(tensor, zeros=False), seen(replace(tensor, zeros=False), *others))


def listed(path: str, **more: Any) -> TensorRow:
    return row(f"net.{path}.w", **({"owner": Owner(path, "Linear"), "changed": moved(STEP)} | more))


@pytest.mark.parametrize(
    ("path", "others", "name"),
    [
        ("heads.0", [listed("heads.1")], "net.heads.1.w"),
        ("heads.0", [listed("heads.2"), listed("heads.1")], "net.heads.2.w"),  # the first one there is
        ("heads.0", [listed("heads.0")], None),
        ("heads.0", [listed("heads.0"), listed("heads.0", size=4), listed("heads.1")], "net.heads.1.w"),
        ("heads.0", [listed("tails.1")], None),
        ("heads.0", [listed("heads.1", size=5)], None),
        ("heads.0", [listed("heads.1", owner=Owner("heads.1", "Conv1d"))], None),
        ("heads.0", [listed("heads.1", changed=Changed("no"))], None),
        ("heads.0.fc", [listed("heads.1.fc")], "net.heads.1.fc.w"),
        ("heads.0.fc", [listed("heads.1.proj")], None),
        ("layer10", [listed("layer2")], "net.layer2.w"),
        ("a.0.b.1", [listed("a.2.b.1"), listed("a.0.b.2")], "net.a.2.b.1.w"),
        ("fc", [listed("proj")], None),
    ],
)
def test_what_stands_beside_in_a_list(path: str, others: list[TensorRow], name: str | None) -> None:
    tensor = row(f"net.{path}.mine", owner=Owner(path, "Linear"))
    found = neighbours.expert_of_many(tensor, seen(*others, tensor))
    assert found == (None if name is None else f"{name}, of a module of the same type beside it, was trained")


@pytest.mark.parametrize(("called", "spared"), [(True, True), (False, False), (None, False)])
def test_another_module_of_the_list_may_have_been_called(called: bool | None, spared: bool) -> None:
    tensor = row("net.w", owner=Owner("heads.0", "Linear", sibling_called=called))
    assert bool(neighbours.expert_of_many(tensor, seen(tensor))) is spared


# What no optimizer was given


def forgotten(**more: Any) -> list[str]:
    """What is found of a network that no optimizer holds, in training mode and as it was initialised."""
    known = {"reached_by_backward": True, "declared": replace(TRAINABLE, training=True)}
    others = more.pop("others", [])
    network = row("side.w", **(known | more))
    trained = row("net.linear.bias", changed=moved(STEP), optimizers=held(nonzero=4))
    found = judge(run([network, *others, trained]))[0]
    return [each.severity for each in found if each.rule == "not-in-any-optimizer"]


def copy(name: str, at: int, **more: Any) -> TensorRow:
    return row(f"{name}.w", copied_at=at, declared=FROZEN, **more)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, True),
        ({"reached_by_backward": False}, False),
        ({"declared": replace(TRAINABLE, training=False)}, False),
        ({"declared": replace(TRAINABLE, training=None)}, False),
        ({"loaded": True}, False),
        ({"owner": Owner("linear", "Linear", default_initialised=False)}, False),
        ({"owner": Owner("linear", "Linear", default_initialised=True)}, True),
        ({"copied_at": 0}, True),
        ({"copied_at": 2}, False),  # made during training, to compute gradients with
        ({"copied_at": 0, "others": [copy("again", 2)]}, False),  # the first of several copies
        ({"copied_at": 0, "others": [copy("again", 0)]}, True),
        ({"copied_at": 0, "others": [copy("again", 2, size=5)]}, True),
        ({"copied_at": 0, "others": [replace(copy("again", 2), model="side", name="side.v")]}, True),
        ({"copied_at": None, "others": [copy("again", 2)]}, True),
    ],
)
def test_a_network_in_no_optimizer_looks_forgotten(more: dict[str, Any], found: bool) -> None:
    assert bool(forgotten(**more)) is found
