"""When a move happened, told from the half-steps between which it was seen."""

import pytest
from tests.observe.memory import Tensor, Training, places


@pytest.fixture
def frozen() -> Tensor:
    return Tensor("m.frozen", range(32), trainable=False)


@pytest.fixture
def training(frozen: Tensor) -> Training:
    weight = Tensor("m.weight", [1.0, 2.0])
    training = Training(weight, frozen)
    training.optimizer(weight)
    return training


def test_a_move_between_two_adjacent_steps_is_outside_of_both(training: Training, frozen: Tensor) -> None:
    training.step()
    frozen.values += 1
    training.step()
    assert places(frozen) == [("outside", 1, 2)]


def test_a_move_with_a_step_in_between_may_have_been_anywhere(training: Training, frozen: Tensor) -> None:
    training.step()
    training.step()
    frozen.values += 1
    training.step()
    training.step()
    assert places(frozen) == [("between", 2, 4)]


def test_a_move_seen_from_before_a_step_to_after_it_is_not_called_outside(training: Training, frozen: Tensor) -> None:
    training.step()
    training.observer.before_step("sgd")
    start = training.observer.clock.now
    training.observer.after_step("sgd")
    assert training.observer.clock.place_since(start) == "between"
    assert training.observer.clock.place_since(training.observer.clock.now) == "outside"


def test_a_move_in_the_step_is_the_steps(training: Training, frozen: Tensor) -> None:
    with training.inside() as optimizer:
        optimizer.step()
        frozen.values += 1
    assert places(frozen) == [("step", 1, 1)]
