"""What is read and kept around steps: copies of the first check, what was seen to be written, what goes on or back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, buffer, only, places

from frostline.core.facts import CameBack, Followed, GradientsSeen, PutBack
from frostline.core.ledger import Flip, Gradient
from frostline.observe.checks.step_checks import FROZEN_AT_FIRST
from frostline.observe.clock import Clock


def frozen(name: str = "m.frozen", size: int = 32) -> Tensor:
    return Tensor(name, np.arange(1.0, size + 1), trainable=False)


def training_of(*tensors: Tensor, **settings: Any) -> Training:
    """A training of a weight beside these tensors."""
    weight = Tensor("m.weight", [1.0, 2.0])
    training = Training(weight, *tensors, **settings)
    training.optimizer(weight)
    return training


def facts(training: Training, kind: type[Any]) -> list[Any]:
    return [fact for fact in training.observer.journal.facts() if isinstance(fact, kind)]


# Copies


def kept(training: Training, *tensors: Tensor) -> list[bool]:
    return [training.watched(tensor).copy is not None for tensor in tensors]


def test_copies_of_the_smallest_frozen_ones_are_kept_over_the_first_check_and_let_go() -> None:
    tensors = [frozen(f"m.{size}", size) for size in range(1, FROZEN_AT_FIRST + 3)]
    training = training_of(*tensors)
    with training.inside():
        assert kept(training, *tensors) == [True] * FROZEN_AT_FIRST + [False] * 2
    training.step()
    assert kept(training, *tensors) == [False] * len(tensors)
    with training.inside():  # no check
        assert kept(training, *tensors) == [False] * len(tensors)


def test_copies_stay_within_memory_and_what_is_too_large_leaves_room_for_others() -> None:
    small, large = frozen("m.small", 4), frozen("m.large", 32)
    training = training_of(small, large, keep_bytes=4 * 32)
    with training.inside():
        assert kept(training, small, large) == [True, False]
    roomy = training_of(small, large, keep_bytes=4 * 36)
    with roomy.inside():
        assert kept(roomy, small, large) == [True, True]


def test_what_is_followed_keeps_its_copy_beyond_the_first_check() -> None:
    moving = frozen()
    training = training_of(moving, keep_bytes=0)
    with training.inside():
        moving.values *= 2  # no copy was there to tell by what
    assert training.watched(moving).pursuit > 0
    moving.values *= 2
    training.step()
    assert [move.shift is not None for move in moving.row.changed.movements] == [False, True]


# Written


def test_what_was_seen_to_be_written_is_read_before_the_step() -> None:
    one, other, weight = frozen(), frozen("m.other"), Tensor("m.settled", [1.0])
    training = training_of(one, other, weight)
    training.probe.optimizers["sgd"].tensors.append(weight)
    for _ in range(4):
        training.step()
    for tensor in (one, other, weight):
        tensor.values += 1
    moved = training.observer.read_written([one.key, weight.key, "m.nobody"])
    assert moved == [training.watched(one)]
    assert (places(one), places(other)) == ([("outside", 4, 5)], [])
    assert training.watched(one).pursuit > 0  # followed from now on
    assert training.observer.read_written([one.key, other.key]) == [training.watched(other)]


@pytest.mark.parametrize(
    ("written", "forward", "place"), [(True, False, "outside"), (False, False, "between"), (True, True, "between")]
)
def test_what_was_written_since_the_last_step_alone_moved_outside(written: bool, forward: bool, place: str) -> None:
    moving = frozen()
    training = training_of(moving)
    training.step()
    if forward:
        moving.values += 1
        training.observer.look_now([moving.key], "forward")
    training.step()
    training.step()
    if written:
        training.observer.written_outside.add(moving.key)
    moving.values += 1
    training.step()
    assert places(moving)[-1][0] == place


def test_what_is_kept_or_settled_is_not_read_for_having_been_written() -> None:
    one, other = frozen("m.one", 4), frozen("m.other", 8)
    training = training_of(one, other)
    training.step()
    training.watched(one).keep, training.watched(other).settled = True, True
    reads = [training.watched(each).reads for each in (one, other)]
    assert training.observer.read_written([one.key, other.key]) == []
    assert [training.watched(each).reads for each in (one, other)] == reads


def test_what_became_frozen_just_before_a_step_that_moves_it_is_followed() -> None:
    moving = Tensor("m.moving", np.arange(1.0, 33.0))
    training = training_of(moving, keep_bytes=0)
    for _ in range(4):
        training.step()
    moving.trainable = False
    with training.inside():
        moving.values *= 2  # no copy was there to tell by what
    assert training.watched(moving).pursuit > 0


def test_what_moved_while_it_was_trainable_for_a_part_of_the_time_is_not_followed() -> None:
    moving = frozen()
    moving.trainable = True
    training = training_of(moving, keep_bytes=0)
    training.step()
    moving.values *= 2
    moving.trainable = False
    training.step()
    assert training.watched(moving).pursuit == 0


def test_what_is_read_is_what_the_line_on_the_terminal_counts() -> None:
    moving = frozen()
    training = training_of(moving)
    counted: list[int] = []
    training.observer.tracked.notice.read = counted.append  # type: ignore[method-assign]
    late = frozen("m.late", 8)
    training.add(late)
    assert counted == [late.values.nbytes]
    training.step()  # before and after: the weight and both frozen ones
    assert sum(counted[1:]) == 2 * (8 + moving.values.nbytes + late.values.nbytes)


def test_a_model_that_is_met_during_training_makes_the_next_step_a_check_and_later_ones_more_and_more_rarely() -> None:
    training = training_of()
    training.observer.met_late()  # before the first step: it is one anyway
    for _ in range(20):
        training.step()
        if training.observer.steps >= 8:
            training.observer.met_late()
    assert training.checks == [1, 2, 4, 8, 9, 10, 12, 16]


# What a step leaves to be read


@pytest.mark.parametrize(
    ("gradient", "decay", "settled"), [(1.0, 0.0, True), (0.0, 0.5, False), (1.0, 0.5, True), (None, 0.0, False)]
)
def test_a_weight_is_settled_by_a_step_with_a_gradient(gradient: float | None, decay: float, settled: bool) -> None:
    weight = Tensor("m.w", np.arange(1.0, 33.0))
    training = Training(weight)
    training.optimizer(weight, weight_decay=decay)
    training.step(gradient=gradient)
    assert training.watched(weight).settled is settled


def test_a_weight_that_decays_is_read_on_whatever_else_moves_it() -> None:
    weight = Tensor("m.w", np.arange(1.0, 33.0))
    training = Training(weight)
    training.optimizer(weight, weight_decay=0.5)
    training.step(gradient=0.0)
    weight.values[::2] *= 2
    training.observer.look_now([weight.key], "outside")
    assert [place for place, *_ in places(weight)] == ["step", "outside"]
    assert not training.watched(weight).settled


@pytest.mark.parametrize(("in_frozen_module", "settled"), [(True, False), (False, True)])
def test_statistics_that_a_step_moved_are_settled_unless_their_module_is_frozen(
    in_frozen_module: bool, settled: bool
) -> None:
    mean = buffer("m.mean", np.arange(32.0), frozen=in_frozen_module)
    training = training_of(mean, keep_bytes=0)
    with training.inside():
        mean.values += 1
    assert (training.watched(mean).settled, only(mean).place) == (settled, "step")
    assert training.watched(mean).pursuit == 0  # its own step moves it


@pytest.mark.parametrize(
    ("trainable", "left", "told"),
    [
        (True, None, "unknown"),
        (True, 1.0, "nonzero"),
        (True, 0.0, "zero"),
        (False, None, "none"),
        (False, 1.0, "nonzero"),
    ],
)
def test_gradients_made_inside_a_step_are_told_by_what_is_left(
    trainable: bool, left: float | None, told: Gradient
) -> None:
    weight = Tensor("m.w", np.ones(4), trainable=trainable)
    training = Training(weight)
    training.optimizer(weight)
    training.probe.how = lambda hold: replace(hold, inside=True)
    with training.inside():
        weight.grad = None if left is None else np.full(4, left, "float32")
    assert [(fact.gradient, fact.optimizer) for fact in facts(training, GradientsSeen)] == [(told, "sgd")]


# Steps that are told in another way


def test_what_turns_out_to_have_been_a_step_is_one_with_what_it_holds() -> None:
    weight = Tensor("m.w", np.arange(1.0, 33.0))
    training = Training(weight)
    training.optimizer(weight)
    training.observer.flags.setting_up = True
    weight.values -= 1
    training.observer.late_step("sgd")
    assert (training.observer.checking, training.observer.flags.setting_up) == (True, False)
    training.observer.after_step("sgd")
    assert places(weight) == [("step", 1, 1)]
    weight.trainable = False
    training.observer.late_step("sgd")
    assert weight.row.declared.flips == [Flip(2, False, "sgd")]
    assert (only(weight).optimizer, weight.row.optimizers[0].optimizer, training.checks) == ("sgd", "sgd", [1])


def test_a_step_that_ended_in_an_exception_did_not_count() -> None:
    training = training_of()
    training.observer.before_step("sgd")
    training.observer.forgot_step()
    assert not training.observer.checking
    training.step()
    assert (training.observer.steps, training.checks) == (1, [1])


def test_what_a_step_shows_late_of_its_holds_is_told() -> None:
    weight = Tensor("m.w", [1.0])
    training = Training(weight)
    training.optimizer()
    training.observer.update_holdings("sgd")  # no step is under way
    with training.inside() as optimizer:
        optimizer.tensors.append(weight)
        training.observer.update_holdings("sgd")
    assert [holding.optimizer for holding in weight.row.optimizers] == ["sgd"]


def test_results_that_a_script_puts_in_place_at_the_end_were_made_by_their_step() -> None:
    weight, other = Tensor("m.w", np.arange(1.0, 33.0)), Tensor("m.other", np.arange(1.0, 33.0))
    training = Training(weight, other)
    training.optimizer(weight)
    with training.inside():
        pass  # hands back new values
    for tensor in (weight, other):
        tensor.values *= 2
    training.observer.close("sgd")
    assert (only(weight).place, only(weight).optimizer) == ("step", "sgd")
    assert (only(other).place, only(other).optimizer) == ("outside", None)


def test_a_move_in_a_step_that_the_script_makes_by_hand_is_outside_of_every_optimizers() -> None:
    weight = Tensor("m.w", np.arange(1.0, 33.0))
    training = Training(weight)
    training.optimizer(weight)
    training.observer.optimizers["sgd"].by_hand = True
    training.step()
    assert (only(weight).place, only(weight).optimizer) == ("outside", "sgd")


# Looks in between


def test_copies_of_frozen_tensors_are_kept_around_a_write_as_far_as_memory_goes() -> None:
    small, large, trained, settled = frozen("m.a", 4), frozen("m.b", 8), Tensor("m.c", [1.0]), frozen("m.d", 1)
    training = training_of(small, large, trained, settled, keep_bytes=4 * 4)
    training.watched(settled).settled = True
    keys = [tensor.key for tensor in (large, small, trained, settled)]
    training.observer.keep_written(keys, keep=True)
    assert kept(training, small, large, trained, settled) == [True, False, False, False]
    training.observer.keep_written(keys, keep=False)
    assert kept(training, small, large) == [False, False]


def test_what_is_followed_keeps_its_copy_whatever_is_written() -> None:
    moving = frozen()
    training = training_of(moving)
    training.watched(moving).pursuit, training.watched(moving).keep = 1, True
    training.watched(moving).take_copy()
    training.observer.keep_written([moving.key], keep=False)
    assert kept(training, moving) == [True]


@pytest.mark.parametrize(("seen_now", "place"), [(True, "forward"), (False, "between")])
def test_a_look_knows_the_place_where_it_looked_just_before(seen_now: bool, place: str) -> None:
    moving = frozen()
    training = training_of(moving)
    training.step()
    for _ in range(2 * (not seen_now)):
        training.observer.clock.after_step()
    moving.values *= 2
    looks = moving.row.changed.checks
    assert training.observer.look_now([moving.key, "m.nobody"], "forward") == [training.watched(moving)]
    assert only(moving).place == place
    assert moving.row.changed.checks == looks + 1  # told at once


def test_a_look_without_a_place_is_inside_the_step_under_way_or_outside() -> None:
    one, other = frozen("m.one"), frozen("m.other")
    training = training_of(one, other)
    training.step()
    with training.inside():
        one.values *= 2
        training.observer.look_now([one.key])
    other.values *= 2
    training.observer.look_now([other.key], event="a load")
    assert (places(one)[0][0], places(other)[0][0]) == ("between", "outside")
    assert other.row.changed.movements[0].event == "a load"


def test_a_look_that_catches_what_is_followed_ends_it() -> None:
    moving = frozen()
    training = training_of(moving)
    watched = training.watched(moving)
    training.step()
    moving.values *= 2
    training.step()
    assert watched.pursuit > 0
    watched.pursuit = 1
    moving.values *= 2
    training.observer.look_now([moving.key], "outside")
    assert watched.pursuit < 0


def test_a_look_leaves_alone_what_is_settled() -> None:
    weight = Tensor("m.w", np.arange(1.0, 33.0))
    training = Training(weight)
    training.optimizer(weight)
    training.step()
    weight.values *= 2
    assert training.observer.look_now([weight.key]) == []
    assert places(weight) == [("step", 1, 1)]


def test_a_forked_process_says_nothing_of_its_reading() -> None:
    training = training_of()
    settings = replace(training.observer.tracked.settings, check_every=3)
    training.observer.adopt_settings(settings)
    for _ in range(4):
        training.step()
    assert training.checks == [1, 3]


# Back again


def test_what_begins_each_check_with_its_first_bits_was_put_back() -> None:
    undone, goes_on = Tensor("m.undone", np.ones(32)), Tensor("m.on", np.ones(32))
    training = Training(undone, goes_on)
    training.optimizer(undone, goes_on)
    for _ in range(8):
        training.step()
        undone.values[:] = 1
    training.observer.close()
    [told] = facts(training, PutBack)
    assert (told.tensors, told.put_back) == ((undone.row.id,), 3)  # at the checks at 2, 4 and 8


def test_two_readings_with_the_same_bits_are_no_return() -> None:
    """Only what every check began with its first bits was put back; one check alone says as much as many."""
    undone = Tensor("m.undone", np.ones(32))
    training = Training(undone)
    training.optimizer(undone)
    training.step()
    undone.values[:] = 1
    training.step()
    training.observer.close()  # it moved in step 2, and ends so
    assert facts(training, PutBack) == []


def test_what_was_put_back_at_some_checks_alone_was_not() -> None:
    undone = Tensor("m.undone", np.ones(32))
    training = Training(undone)
    training.optimizer(undone)
    for step in range(8):
        training.step()
        if step != 2:
            undone.values[:] = 1
    training.observer.close()
    assert facts(training, PutBack) == []


@pytest.mark.parametrize(("goes_back", "size"), [(True, 64), (True, 16), (False, 64)])
def test_what_moved_first_after_the_others_may_go_back_with_them(goes_back: bool, size: int) -> None:
    early, late = Tensor("m.early", np.ones(32)), Tensor("m.late", np.ones(size))
    training = Training(early, late)
    training.optimizer(early, late)

    def step(*moving: Tensor) -> None:
        for tensor in (early, late):
            tensor.grad = np.ones(tensor.values.size, "float32") if tensor in moving else None
        with training.inside() as optimizer:
            optimizer.step()

    step(early)
    step(early)
    saved = early.values.copy()
    for _ in range(6):
        step(early, late)
    early.values[:] = saved
    if goes_back:
        late.values[:] = 1
    training.observer.close()
    told = {fact.step: sorted(fact.tensors) for fact in facts(training, CameBack)}
    assert told[2] == [early.row.id, late.row.id][: 1 + goes_back]


# Copies that lag


@pytest.mark.parametrize(
    ("model", "apart", "follows"), [("ema", 0.0, True), ("other", 0.0, False), ("ema", 0.5, False)]
)
def test_a_copy_stood_still_beside_others_because_its_source_did(model: str, apart: float, follows: bool) -> None:
    drawn = np.random.default_rng(3).standard_normal(32).astype("float32")
    source, copy = Tensor("net.b", drawn, trainable=False), Tensor(f"{model}.b", drawn * (1 + apart), trainable=False)
    led = frozen("ema.w", 8)
    training = training_of(source, copy, led)
    training.step()
    moved = frozen("ema.c", 32)
    moved.values[:] = drawn
    training.add(moved)
    moved.row.changed.verdict = "yes"  # it moved by itself
    led.row.changed.followed = "net.w"
    training.observer.close()
    told = [fact.tensor for fact in facts(training, Followed) if fact.still]
    assert told == [copy.row.id] * follows


# Small things


def test_what_the_observer_counts() -> None:
    training = training_of(frozen())
    for _ in range(5):
        training.step()
    observer = training.observer
    assert (observer.steps, observer.checks) == (5, 3)
    observer.close()
    assert (observer.steps, observer.checks) == (5, 4)  # the last look is one
    for skipped in (1, 2):
        observer.skipped("sgd")
        assert observer.optimizers["sgd"].steps_skipped == skipped


@pytest.mark.parametrize(("steps", "now"), [(0, 0), (1, 3), (4, 9)])
def test_the_last_check_is_after_the_last_step(steps: int, now: int) -> None:
    clock = Clock()
    for _ in range(steps):
        clock.before_step()
        clock.after_step()
    clock.close()
    assert (clock.now, clock.closing) == (now, True)


def test_the_first_bits_stay_those_of_the_first_reading() -> None:
    moving = frozen()
    training = training_of(moving)
    watched = training.watched(moving)
    first = watched.first
    moving.values += 1
    watched.rebase(3)
    assert (watched.first, watched.digest == first) == (first, False)


def test_a_forward_pass_that_moved_it_is_remembered() -> None:
    moving = frozen()
    moving_between = frozen("m.between")
    training = training_of(moving, moving_between)
    training.step()
    moving.values += 1
    moving_between.values += 1
    training.observer.look_now([moving.key], "forward")
    training.observer.look_now([moving_between.key], "outside")
    assert training.watched(moving).moved_in_forward
    assert not training.watched(moving_between).moved_in_forward
