"""Flags are compared before each step: what is a flip, what it is worth, and for how many steps a flag was held."""

from __future__ import annotations

from typing import Any

import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.facts import FlagDeclared, FlagFlipped, FlagHeld
from frostline.observe.checks.flags import FLIPS_THAT_CHECK


@pytest.fixture
def weight() -> Tensor:
    return Tensor("m.weight", [1.0, 2.0])


@pytest.fixture
def training(weight: Tensor) -> Training:
    training = Training(weight, Tensor("m.other", [1.0]))
    training.optimizer(weight)
    return training


def facts(training: Training, kind: type[Any]) -> list[Any]:
    return [fact for fact in training.observer.journal.facts() if isinstance(fact, kind)]


def test_a_flip_is_told_with_the_steps_in_which_the_former_flag_was_held(training: Training, weight: Tensor) -> None:
    for trainable in (True, True, True, False, False, True):
        weight.trainable = trainable
        training.step()
    training.observer.close()
    flips = [(fact.step, fact.flag, fact.optimizer) for fact in facts(training, FlagFlipped)]
    assert flips == [(4, False, "sgd"), (6, True, "sgd")]
    declared = weight.row.declared
    assert (declared.trainable_steps, declared.frozen_steps, declared.flip_count) == (4, 2, 2)
    assert (declared.first, declared.trainable) == (True, True)
    held = [(fact.flag, fact.steps, len(fact.tensors)) for fact in facts(training, FlagHeld)]
    assert held == [(True, 3, 1), (False, 2, 1), (True, 1, 1), (True, 6, 1)]


def test_a_flip_before_the_first_step_held_nothing(training: Training, weight: Tensor) -> None:
    weight.trainable = False
    training.step()
    assert [(fact.step, fact.flag) for fact in facts(training, FlagFlipped)] == [(1, False)]
    assert facts(training, FlagHeld) == []


def test_the_first_flips_are_checks_of_their_own(training: Training, weight: Tensor) -> None:
    for step in range(1, 9 + 2 * FLIPS_THAT_CHECK):
        if step > 8:
            weight.trainable = not weight.trainable
        training.step()
    after = [step for step in training.checks if step > 8]
    assert after == [*range(9, 9 + FLIPS_THAT_CHECK), 16]
    assert weight.row.declared.flip_count == 2 * FLIPS_THAT_CHECK


def test_what_is_frozen_is_so_since_that_step_and_is_looked_at_again(training: Training, weight: Tensor) -> None:
    training.step()
    watched = training.watched(weight)
    assert watched.settled
    weight.trainable = False
    training.step()
    assert (watched.froze_at, watched.settled, watched.frozen_over(4), watched.frozen_over(3)) == (
        4,
        False,
        True,
        False,
    )
    weight.trainable = True
    training.step()
    assert watched.froze_at == 4


def test_what_is_set_before_training_is_the_declaration(training: Training, weight: Tensor) -> None:
    training.observer.flags.setting_up = True
    weight.trainable = False
    assert not training.observer.flags.poll("")
    training.step()
    assert facts(training, FlagFlipped) == []
    assert [(fact.flag, fact.again) for fact in facts(training, FlagDeclared)][-1] == (False, True)
    declared = weight.row.declared
    assert (declared.trainable, declared.flip_count) == (False, 0)
    assert not training.observer.flags.setting_up
    weight.trainable = True
    training.step()
    assert [fact.flag for fact in facts(training, FlagFlipped)] == [True]


def test_setting_up_ends_with_what_the_flags_are_then(training: Training, weight: Tensor) -> None:
    training.observer.flags.setting_up = True
    weight.trainable = False
    training.step()  # nobody asked in between
    assert (weight.row.declared.trainable, facts(training, FlagFlipped)) == (False, [])


def test_nothing_is_compared_where_the_probe_was_told_of_no_write(training: Training, weight: Tensor) -> None:
    training.probe.flags = lambda *, whole: None  # type: ignore[method-assign]
    weight.trainable = False
    assert not training.observer.flags.poll("sgd")
    assert facts(training, FlagFlipped) == []
