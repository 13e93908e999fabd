"""Trained tensors are sampled at checks; only one that a step leaves alone is read as a whole, until it moves again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.columns.standstill import Standstill
from frostline.core.facts import CameBack, PutBack, StoodStill
from frostline.digest.sample import LARGEST, PIECE
from frostline.observe.checks.going_on import SAMPLES_KEPT
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
    assert not any(isinstance(fact, CameBack | PutBack) for fact in training.observer.journal.facts())


def test_what_a_step_leaves_alone_is_compared_to_the_end(training: Training, weight: Tensor) -> None:
    step(training, 1.0, 1.0, 1.0, *[None] * 7)  # steps 2 to 11, checks at 2, 4 and 8
    training.observer.close()
    assert told(training) == [Standstill(4, 8, 11, "none")]
    assert weight.row.changed.still == Standstill(4, 8, 11, "none")


def test_what_became_nan_is_said_to_be_so(training: Training, weight: Tensor) -> None:
    step(training, 1.0, float("nan"), *[float("nan")] * 5)
    assert [still is not None and still.finite for still in told(training)] == [False]
    assert weight.row.changed.still == Standstill(2, 4, 8, "nonzero", finite=False)


def test_each_check_says_until_when_and_what_gradient_it_found(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3, *[0.0] * 4)  # steps 2 to 8
    assert told(training) == [Standstill(1, 2, 4, "none"), Standstill(1, 2, 8, "zero")]


def test_what_moves_again_is_taken_back(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3, *[1.0] * 4, *[None] * 8)
    assert told(training) == [Standstill(1, 2, 4, "none"), None]
    training.observer.close()  # step 16 left it alone, and nothing came after
    assert weight.row.changed.still == Standstill(8, 16, 16, "none")


def test_what_moves_after_the_last_check_is_taken_back_at_the_end(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3, 1.0)
    training.observer.close()
    assert told(training) == [Standstill(1, 2, 4, "none"), None]
    assert weight.row.changed.still is None


@pytest.mark.parametrize("at", [0, LARGE // 2, LARGE - 1, PIECE, LARGE // 4])
def test_a_move_of_one_number_is_seen_wherever_it_is(training: Training, weight: Tensor, at: int) -> None:
    step(training, *[None] * 2)  # step 2 is a check, and leaves it alone
    weight.values[at] += 1
    step(training, *[None] * 2)
    training.observer.close()
    assert told(training) == []


def test_what_cannot_be_read_is_not_said_to_stand_still(training: Training, weight: Tensor) -> None:
    step(training, None, None)
    weight.unreadable = Unreadable("gone")
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


def test_a_tensor_that_was_frozen_meanwhile_is_followed_anew(training: Training, weight: Tensor) -> None:
    step(training, *[None] * 3)  # still at 2 and 4
    for trainable in (False, True):
        weight.trainable = trainable
        step(training, *[None] * 4)
    assert told(training) == [Standstill(1, 2, 4, "none")]
    step(training, *[None] * 4)  # the check at 16
    assert [still is not None and still.since for still in told(training)] == [2, 9]


def test_how_large_an_update_can_have_been_is_noted_with_a_gradient(training: Training, weight: Tensor) -> None:
    training.probe.optimizers["sgd"].lr = 0.0
    step(training, 1.0)
    assert weight.row.optimizers[0].update_ulp == 0.25  # as the probe says
    training.observer.close()
    assert told(training) == [Standstill(1, 2, 2, "nonzero")]


def test_without_a_gradient_no_update_is_noted(training: Training, weight: Tensor) -> None:
    step(training, None, None, None)
    assert weight.row.optimizers[0].update_ulp is None


def test_the_gradient_that_a_step_makes_inside_is_not_known(training: Training, weight: Tensor) -> None:
    training.probe.how = lambda hold: replace(hold, inside=True)
    step(training, None, None, None)
    assert told(training) == [Standstill(1, 2, 4, "unknown")]


def test_what_an_optimizer_holds_and_does_not_list_is_not_followed(training: Training, weight: Tensor) -> None:
    training.probe.how = lambda hold: replace(hold, listed=False)
    step(training, *[None] * 7)
    assert told(training) == []


def test_digests_made_on_an_accelerator_tell_it_too(training: Training, weight: Tensor) -> None:
    training.probe.on_accelerator.add(weight.key)
    step(training, *[None] * 3)
    assert told(training) == [Standstill(1, 2, 4, "none")]
    weight.values[LARGE // 4] += 1  # in no sample
    step(training, *[None] * 4)
    assert told(training) == [Standstill(1, 2, 4, "none"), None]


def test_reading_the_whole_is_counted(training: Training, weight: Tensor) -> None:
    before = training.watched(weight).bytes_read
    step(training, None)  # a sample around it, and the whole
    assert training.watched(weight).bytes_read - before == 2 * LARGEST + weight.values.nbytes
    step(training, None, None)  # the whole again
    assert training.watched(weight).bytes_read - before == 2 * LARGEST + 2 * weight.values.nbytes


# Bits of an earlier step


@pytest.mark.parametrize(("kept", "back"), [(0, 0), (1, 1), (2, 2), (4, 4), (5, None), (6, 6), (8, None)])
def test_bits_that_come_back_at_the_end(training: Training, weight: Tensor, kept: int, back: int | None) -> None:
    """Seen are those of the first reading, of the checks at 1, 2, 4 and 8, and of the file written after step 6."""
    values = {0: np.ones_like(weight.values), 1: weight.values.copy()}
    for number in range(2, 9):
        step(training, 1.0)
        values[number] = weight.values.copy()
        if number == 6:
            training.observer.going_on.remember([weight.key])
    weight.values[:] = values[kept]
    training.observer.close()
    assert weight.row.changed.back_at == back


def test_of_several_tensors_those_that_have_their_first_bits_are_named() -> None:
    tensors = [
        Tensor(name, np.ones(size)) for name, size in (("net.a", 4), ("net.b", 8), ("net.c", 16), ("other.d", 2))
    ]
    training = Training(*tensors)
    training.optimizer(*tensors)
    step(training, 1.0, 1.0)
    for tensor in tensors[:2]:
        tensor.values[:] = 1
    training.observer.close()
    assert [tensor.row.changed.back_at for tensor in tensors] == [0, 0, None, None]


def test_what_is_written_without_being_followed_is_not_remembered(training: Training, weight: Tensor) -> None:
    other = Tensor("net.other", [1.0])
    training.add(other)
    training.observer.going_on.remember([other.key])
    step(training, None)
    training.observer.going_on.remember([weight.key])  # it stands still: the whole is known
    training.observer.close()
    assert (other.row.changed.back_at, weight.row.changed.back_at) == (None, None)


def test_of_many_checks_the_last_are_remembered(weight: Tensor) -> None:
    training = Training(weight, check_every=1)
    training.optimizer(weight, lr=0.25)
    values = []
    for _ in range(SAMPLES_KEPT + 8):
        step(training, 1.0)
        values.append(weight.values.copy())
    weight.values[:] = values[2]
    training.observer.close()
    assert weight.row.changed.back_at is None
    training.observer.clock.closing = False
    weight.values[:] = values[12]
    training.observer.close()
    assert weight.row.changed.back_at == 13
