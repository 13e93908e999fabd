"""Trained tensors are projected at doubling steps, in runs whose processes are to be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.observe.memory import Tensor, Training, buffer

from frostline.core.columns.replica import ReplicaSample
from frostline.core.facts import ReplicaSampled
from frostline.digest.projection import project
from frostline.observe.protocols import Unreadable


def sampled(training: Training) -> dict[int, ReplicaSample]:
    training.observer.close()
    facts = training.observer.journal.facts()
    return {fact.tensor: fact.sample for fact in facts if isinstance(fact, ReplicaSampled)}


@pytest.fixture
def weight() -> Tensor:
    return Tensor("net.w", np.arange(8.0))


def trained(*tensors: Tensor, steps: int, **settings: Any) -> Training:
    training = Training(*tensors, **settings)
    training.optimizer(*tensors)
    for _ in range(steps):
        training.step()
    return training


@pytest.mark.parametrize(("steps", "halfway"), [(1, 0), (2, 1), (6, 2), (7, 2), (8, 4), (21, 8)])
def test_where_it_was_halfway_and_at_the_end(weight: Tensor, steps: int, halfway: int) -> None:
    [sample] = sampled(trained(weight, steps=steps, digests=True)).values()
    first, earlier, last = (np.arange(8.0, dtype="float32") - 0.5 * made for made in (0, halfway, steps))
    assert (sample.step, sample.earlier, sample.last) == (halfway, projected(earlier), projected(last))
    assert sample.size == pytest.approx(np.sqrt(np.square(last).mean()))
    assert sample.travelled == pytest.approx(np.hypot.reduce(np.subtract(projected(first), projected(last))))


def test_checks_at_every_step_cost_no_more_samples(weight: Tensor) -> None:
    rare, often = (trained(Tensor("net.w", weight.values), steps=9, digests=True, check_every=n) for n in (None, 1))
    assert [*sampled(rare).values()] == [*sampled(often).values()]


def test_only_trained_floating_point_tensors_of_several_processes(weight: Tensor) -> None:
    assert sampled(trained(weight, steps=2)) == {}
    others = [buffer("net.count", np.ones(4))]
    others += [Tensor("net.still", np.ones(4), trainable=False), Tensor("net.wild", np.full(4, np.inf))]
    assert sampled(trained(*others, steps=2, digests=True)) == {}


def test_a_tensor_that_cannot_be_read_at_the_end_has_no_sample(weight: Tensor) -> None:
    training = trained(weight, steps=2, digests=True)
    weight.unreadable = Unreadable("it is elsewhere")
    assert sampled(training) == {}


def test_what_is_read_for_it_is_counted(weight: Tensor) -> None:
    read = []
    for digests in (False, True):
        training = trained(Tensor("net.w", weight.values), steps=4, digests=digests)
        checks = training.watched(training.probe.tensors[0]).bytes_read
        training.observer.close()
        read.append((checks, training.watched(training.probe.tensors[0]).bytes_read))
    (plain, _), (sampled_too, at_the_end) = read
    assert sampled_too - plain == 4 * weight.values.nbytes  # at first, and after steps 1, 2 and 4
    assert at_the_end > sampled_too


def projected(values: NDArray[np.float32]) -> tuple[float, ...]:
    sums = project(values.tobytes(), "float32")
    assert sums is not None
    return sums
