"""What a program's holds and gradients say about a step."""

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, only

from frostline.observe.protocols import Hold


@pytest.fixture
def weight() -> Tensor:
    return Tensor("m.weight", [1.0, 2.0, 3.0])


@pytest.fixture
def training(weight: Tensor) -> Training:
    training = Training(weight)
    training.optimizer(weight, lr=0.5, weight_decay=0.5)
    return training


def test_a_zero_gradient_is_counted_as_zero_and_the_decay_is_seen_on_a_copy(training: Training, weight: Tensor) -> None:
    training.step(gradient=0.0)
    assert weight.row.optimizers[0].gradients == {"zero": 1}
    assert weight.row.reached_by_backward is False
    movement = only(weight)
    assert (movement.gradient, movement.lr, movement.weight_decay) == ("zero", 0.5, 0.5)
    assert movement.shift is not None
    assert movement.shift.ratio == 0.75


def test_a_gradient_that_was_zero_before_a_step_without_a_closure_was_zero(training: Training, weight: Tensor) -> None:
    training.observer.holdings.made_inside = False
    weight.grad = np.float32([0, 0, 0])
    with training.inside() as optimizer:
        optimizer.step()
        weight.grad = weight.values * 0.5  # as optimizers do that add the decay to the gradient in place
    assert only(weight).gradient == "zero"


@pytest.mark.parametrize("made_inside", [True, None])
def test_a_closure_may_have_made_the_gradient_in_the_step(
    training: Training, weight: Tensor, made_inside: bool | None
) -> None:
    weight.grad = np.float32([0, 0, 0])
    with training.inside() as optimizer:
        weight.grad = np.float32([1, 1, 1])
        optimizer.step()
        training.observer.holdings.made_inside = made_inside
    assert only(weight).gradient == "nonzero"


@pytest.mark.parametrize(
    ("trainable", "gradient", "hold", "unexplained"),
    [
        (True, 0.0, Hold(), True),
        (True, 1.0, Hold(weight_decay=0.1), False),
        (True, None, Hold(), False),
        (True, None, Hold(weight_decay=0.1), True),
        (False, 0.0, Hold(), True),
        (False, 1.0, Hold(), True),
        (False, None, Hold(), False),
        (False, None, Hold(copied=True), True),
        (False, None, Hold(fills_gaps=True), True),
        (False, 1.0, None, False),
    ],
)
def test_a_copy_is_kept_where_the_gradient_does_not_explain_a_move(
    trainable: bool, gradient: float | None, hold: Hold | None, unexplained: bool
) -> None:
    weight = Tensor("m.weight", [1.0, 2.0, 3.0], trainable=trainable)
    training = Training(weight)
    weight.grad = None if gradient is None else np.full(3, gradient, "f4")
    watched = training.watched(weight)
    training.observer.holdings.note_gradient(watched)
    assert training.observer.holdings.unexplained(watched, hold) is unexplained


def test_the_largest_rate_of_a_group_is_remembered(training: Training, weight: Tensor) -> None:
    holdings, optimizer = training.observer.holdings, training.probe.optimizers["sgd"]
    for rate in (0.25, 0.5, 0.125):
        optimizer.lr = rate
        holdings.note_rates("sgd", training.observer.optimizers["sgd"])
    assert holdings.max_lr("sgd", 0) == 0.5
    assert holdings.max_lr("sgd", 1) is None  # there is no such group
    assert holdings.max_lr("sgd", None) is None  # nor one that is not told
    assert holdings.max_lr("adam", 0) is None
