"""Trained tensors are sampled at checks; only one that a step leaves alone is read as a whole, until it moves again."""

from __future__ import annotations

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.columns.standstill import Standstill
from frostline.core.facts import StoodStill
from frostline.digest.sample import LARGEST, PIECE
from frostline.observe.protocols import Unreadable

LARGE = 64 * PIECE  # numbers of 4 bytes


@pytest.fixture
def weight() -> Tensor:
    return Tensor("net.w", np.ones(LARGE))


@pytest.fixture
def training(weight: Tensor) -> Training:
    training = Training(weight)
    training.optimizer(weight, lr=0.25)
    training.step()  # the check that settles it
    return training


def step(training: Training, *gradients: float | None) -> None:
    for gradient in gradients:
        training.step(gradient=gradient)


def told(training: Training) -> list[Standstill | None]:
    return [fact.still for fact in training.observer.journal.facts() if isinstance(fact, StoodStill)]


def test_what_goes_on_costs_a_sample_before_and_after_a_check(training: Training, weight: Tensor) -> None:
    before = training.watched(weight).bytes_read
    step(training, *[1.0] * 7)  # checks at 2, 4 and 8
    assert training.watched(weight).bytes_read - before == 3 * 2 * LARGEST
    training.observer.close()
    assert (told(training), weight.row.changed.still) == ([], None)


def test_what_a_step_leaves_alone_is_compared_to_the_end(training: Training, weight: Tensor) -> None:
    step(training, 1.0, 1.0, 1.0, *[None] * 7)  # steps 2 to 11, checks at 2, 4 and 8
    training.observer.close()
    assert told(training) == [Standstill(4, 8, 11, "none")]
    assert weight.row.changed.still == Standstill(4, 8, 11, "none")


def test_each_check_says_until_when_and_what_gradient_it_found(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3, *[0.0] * 4)  # steps 2 to 8
    assert told(training) == [Standstill(1, 2, 4, "none"), Standstill(1, 2, 8, "zero")]


def test_what_moves_again_is_taken_back(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3, *[1.0] * 4, *[None] * 8)
    assert told(training) == [Standstill(1, 2, 4, "none"), None]
    training.observer.close()  # step 16 left it alone, and nothing came after
    assert weight.row.changed.still == Standstill(8, 16, 16, "none")


@pytest.mark.parametrize("at", [0, LARGE // 2, LARGE - 1, PIECE, LARGE // 4])
def test_a_move_of_one_number_is_seen_wherever_it_is(training: Training, weight: Tensor, at: int) -> None:
    step(training, *[None] * 2)  # step 2 is a check, and leaves it alone
    weight.values[at] += 1
    step(training, *[None] * 2)
    training.observer.close()
    assert told(training) == []


def test_what_cannot_be_read_is_not_said_to_stand_still(training: Training, weight: Tensor) -> None:
    step(training, None, None)
    weight.masked_gradients = Unreadable("gone")
    step(training, None, None)
    training.observer.close()
    assert told(training) == []


def test_a_step_of_another_optimizer_says_nothing_of_it(training: Training, weight: Tensor) -> None:
    other = Tensor("net.other", [1.0, 1.0])
    training.add(other)
    training.optimizer(other, name="adam")
    for _ in range(16):
        training.step("adam")
    training.observer.close()
    assert told(training) == []


def test_a_tensor_that_is_frozen_meanwhile_is_followed_no_longer(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3)  # still at 2 and 4
    weight.trainable = False
    step(training, *[None] * 4)
    assert told(training) == [Standstill(1, 2, 4, "none")]
    training.observer.close()
    assert weight.row.changed.still == Standstill(1, 2, 4, "none")
