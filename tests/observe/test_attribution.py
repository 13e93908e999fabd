"""Frozen tensors that moved are followed with copies: how many at once, how long, and what is told of the move."""

import pytest
from tests.observe.memory import Tensor, Training, places

from frostline.observe.moves import attribution
from frostline.observe.moves.attribution import FOLLOWED_AT_ONCE, STEPS_FOLLOWED


def moved(count: int, *, smallest_last: bool = False) -> tuple[Training, list[Tensor]]:
    """A training in which this many frozen tensors of different sizes moved between the first two checks."""
    sizes = range(count, 0, -1) if smallest_last else range(1, count + 1)
    frozen = [Tensor(f"m.{size}", range(1, size + 1), trainable=False) for size in sizes]
    weight = Tensor("m.weight", [1.0])
    training = Training(weight, *frozen)
    training.optimizer(weight)
    training.step()
    for tensor in frozen:
        tensor.values += 1
    training.step()
    return training, frozen


def test_sixteen_are_followed_at_once_and_these_are_the_smallest() -> None:
    training, frozen = moved(20, smallest_last=True)
    followed = {tensor.row.name for tensor in frozen if training.watched(tensor).pursuit > 0}
    assert followed == {f"m.{size}" for size in range(1, 17)}
    assert FOLLOWED_AT_ONCE == 16


def test_a_later_check_fills_only_the_room_that_is_left() -> None:
    training, frozen = moved(10)
    late = [Tensor(f"n.{size}", range(1, size + 1), trainable=False) for size in range(1, 11)]
    for tensor in late:
        training.add(tensor)
    training.step()
    for tensor in late:
        tensor.values += 1
    training.step()
    followed = [tensor.row.name for tensor in frozen + late if training.watched(tensor).pursuit > 0]
    assert followed == [*(f"m.{size}" for size in range(1, 11)), *(f"n.{size}" for size in range(1, 7))]


@pytest.mark.parametrize(("steps", "followed"), [(STEPS_FOLLOWED - 1, True), (STEPS_FOLLOWED, False)])
def test_it_ends_after_a_bounded_number_of_steps(steps: int, followed: bool) -> None:
    training, (frozen,) = moved(1)
    while training.observer.steps - len(training.checks) < steps:  # a check is none of those steps
        training.step()
    assert (training.watched(frozen).pursuit > 0) is followed
    assert (training.watched(frozen).copy is not None) is followed


def test_the_next_move_is_seen_between_two_adjacent_half_steps_and_ends_it() -> None:
    training, (frozen,) = moved(1)
    frozen.values *= 2
    training.step()
    move = frozen.row.changed.movements[-1]
    assert (move.place, move.since, move.until) == ("outside", 2, 3)
    assert move.shift is not None
    assert training.watched(frozen).pursuit < 0


@pytest.mark.parametrize(("largest", "followed"), [(4 * 5, True), (4 * 5 - 1, False)])
def test_what_is_too_large_to_copy_at_every_step_is_not_followed(
    largest: int, followed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "LARGEST_FOLLOWED", largest)
    training, frozen = moved(5)
    assert (training.watched(frozen[4]).pursuit > 0) is followed
    assert training.watched(frozen[3]).pursuit > 0


def test_what_was_followed_once_is_not_followed_again() -> None:
    training, (frozen,) = moved(1)
    for _ in range(2):
        frozen.values *= 2
        training.step()
    assert training.watched(frozen).pursuit < 0
    while training.observer.steps < 7:
        training.step()
    frozen.values *= 2
    training.step()  # a check
    assert training.watched(frozen).pursuit < 0


def test_forward_passes_are_watched_between_steps_while_something_is_followed() -> None:
    training, (frozen,) = moved(1)
    watched = training.probe.forwards_watched
    assert watched[-1]
    training.observer.before_step("sgd")
    assert not watched[-1]
    training.observer.after_step("sgd")
    assert watched[-1]
    training.observer.before_step("sgd")
    training.observer.after_step("sgd")
    with training.inside():
        frozen.values *= 2
    assert places(frozen)[-1][0] == "step"
    assert not watched[-1]


def test_a_move_over_several_steps_is_followed_on() -> None:
    """It was followed, and one step went by in which it could not be looked at."""
    training, (frozen,) = moved(1)
    watched = training.watched(frozen)
    frozen.values *= 2
    training.observer.clock.after_step()
    training.observer.clock.before_step()
    training.observer.attribution.before_step()
    assert places(frozen)[-1][0] == "between"
    assert watched.pursuit > 0
    assert frozen.row.changed.movements[-1].shift is not None
