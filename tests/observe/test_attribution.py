"""Frozen tensors that moved are followed with copies: how many at once, how long, and what is told of the move."""

import pytest
from tests.observe.memory import Tensor, Training

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
