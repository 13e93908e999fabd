"""Where a step ends as the next one begins, one call in place of two tells the very same."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.facts import Fact
from frostline.errors import EnoughSteps

STEPS = 70


def remember_flags(training: Training) -> None:
    """Have the probe give the same list for as long as nothing differs."""
    remembered: list[list[bool | None]] = [[]]

    def flags(*, whole: bool) -> list[bool | None]:
        now: list[bool | None] = [tensor.trainable for tensor in training.probe.tensors]
        remembered[0] = remembered[0] if remembered[0] == now else now
        return remembered[0]

    training.probe.flags = flags  # type: ignore[method-assign]


def facts(seed: int, in_one_call: bool, **settings: Any) -> tuple[list[Fact], list[int], int]:
    """What is told of a training in which this and that happens, its checks, and how many steps nobody looked at."""
    chance = random.Random(seed)
    frozen = Tensor("m.frozen", range(32), trainable=False)
    weights = [Tensor(f"m.weight{index}", [1.0, 2.0]) for index in range(2)]
    training = Training(*weights, frozen, **settings)
    names = [training.optimizer(weight, name=f"sgd{index}", lr=0.0) for index, weight in enumerate(weights)]
    events: dict[str, Callable[[], object]] = {
        "a frozen tensor is written": lambda: np.add(frozen.values, 1, out=frozen.values),
        "a flag flips": lambda: setattr(weights[1], "trainable", not weights[1].trainable),
        "a model is met": training.observer.met_late,
        "a rate changes": lambda: setattr(training.probe.optimizers["sgd0"], "lr", chance.choice((0.0, 0.5))),
    }
    remember_flags(training)
    quiet, last = 0, ""
    for _ in range(STEPS):
        name = names[chance.random() < 0.1]
        if chance.random() < 0.15:
            chance.choice([*events.values()])()
        if in_one_call and name == last and training.observer.next_step(name):
            quiet += 1
        else:
            if last:
                training.observer.after_step(last)
            training.observer.before_step(name)
        for tensor in training.probe.optimizers[name].tensors:
            tensor.grad = np.ones(2, np.float32)
        training.probe.optimizers[name].step()
        last = name
    training.observer.after_step(last)
    training.observer.close()
    return training.observer.journal.facts(), training.checks, quiet


@pytest.mark.parametrize("every", [None, 3])
def test_what_is_told_is_the_same(every: int | None) -> None:
    passed_over = 0
    for seed in range(40):
        told, checks, none = facts(seed, in_one_call=False, check_every=every)
        again, checked, quiet = facts(seed, in_one_call=True, check_every=every)
        assert (seed, again, checked) == (seed, told, checks)
        assert none == 0
        passed_over += quiet
    assert passed_over > STEPS


def trained(lr: float = 0.5, **settings: Any) -> Training:
    """A training whose tenth step is under way; around the next ones nobody looks."""
    weight = Tensor("m.weight", [1.0])
    training = Training(weight, **settings)
    remember_flags(training)
    training.optimizer(weight, lr=lr)
    for _ in range(9):
        training.step()
    training.observer.before_step("sgd")
    return training


def test_a_run_that_is_to_end_after_some_steps_counts_each() -> None:
    assert trained().observer.next_step("sgd")
    training = trained(steps=10)
    assert not training.observer.next_step("sgd")
    with pytest.raises(EnoughSteps):
        training.observer.after_step("sgd")


def test_flags_that_nobody_can_have_written_to_are_as_they_were() -> None:
    training = trained()
    training.probe.flags = lambda *, whole: None  # type: ignore[method-assign]
    assert training.observer.next_step("sgd")
    training.probe.flags = lambda *, whole: [False]  # type: ignore[method-assign]
    assert not training.observer.next_step("sgd")


def test_what_is_to_be_done_after_the_first_step_is_not_passed_over() -> None:
    training, done = trained(), []
    training.observer.after_first_step = lambda: done.append(1)
    assert not training.observer.next_step("sgd")
    training.observer.after_step("sgd")
    assert done == [1]


def test_a_rate_that_was_zero_so_far_is_asked_for_after_every_step() -> None:
    training = trained(lr=0.0)
    assert not training.observer.next_step("sgd")
    training.probe.optimizers["sgd"].lr = 0.5
    training.observer.after_step("sgd")
    training.observer.before_step("sgd")
    assert training.observer.next_step("sgd")
