"""Files of arrays, digests at the end, what a hold says anew and averages in rounding: each condition by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, only
from tests.observe.test_saves import Writing, copies, written

from frostline.core.facts import DigestsTaken, GradientsSeen, Held

DRAWN, OTHER = np.random.default_rng(5).standard_normal((2, 64)).astype("float32")


def facts(training: Training, kind: type[Any]) -> list[Any]:
    return [fact for fact in training.observer.journal.facts() if isinstance(fact, kind)]


def test_arrays_of_one_step_are_one_file_and_those_of_a_later_one_begin_it_anew() -> None:
    one, other = Tensor("m.one", range(8)), Tensor("m.other", range(1, 9))
    writing = Writing(one, other)
    writing.training.step()
    for tensor in (one, other):
        writing.saves.holds("arrays.npz", "numpy.savez", written(tensor))
    writing.end()
    assert copies(one) == copies(other) == [("arrays.npz", 1, "same")]
    again = Writing(Tensor("m.one", range(8)), Tensor("m.other", range(1, 9)))
    for tensor in again.tensors:
        again.training.step()
        again.saves.holds("arrays.npz", "numpy.savez", written(tensor))
    again.end()
    assert again.tensors[0].row.saved is None
    assert [(event.times, event.entries) for event in again.written()] == [(2, 1)]


def test_a_later_file_of_the_whole_model_says_what_is_in_it() -> None:
    weight, other = Tensor("m.weight", range(8)), Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.saves.expected = lambda models: {weight.key, other.key}
    writing.save("part.bin", weight)
    writing.saves.expected = lambda models: {weight.key}  # by then the model has no other
    writing.save("whole.bin", weight)
    writing.end()
    assert other.row.saved is None


@pytest.mark.parametrize(("digests", "count"), [(True, 1), (False, 0)])
def test_first_and_last_digests_are_told_where_processes_are_compared(digests: bool, count: int) -> None:
    weight, lost = Tensor("m.w", np.ones(4)), Tensor("m.lost", np.ones(4))
    training = Training(weight, lost, digests=digests)
    training.optimizer(weight)
    training.step()
    training.watched(lost).lose("freed")
    training.observer.close()
    told = facts(training, DigestsTaken)
    assert [(fact.tensor, fact.first != fact.last) for fact in told] == [(weight.row.id, True)] * count


def test_how_an_optimizer_holds_a_tensor_is_told_when_it_is_news() -> None:
    weight = Tensor("m.w", np.ones(4))
    training = Training(weight, check_every=1)
    training.optimizer(weight)
    for lr in (0.5, 0.5, 0.25):
        training.probe.optimizers["sgd"].lr = lr
        training.step()
    assert [fact.lr for fact in facts(training, Held) if fact.lr is not None] == [0.5, 0.25]


def test_gradients_made_inside_are_of_no_more_interest_once_a_tensor_is_settled() -> None:
    weight = Tensor("m.w", np.ones(4))
    training = Training(weight, check_every=1)
    training.optimizer(weight)
    training.probe.how = lambda hold: replace(hold, inside=True)
    for _ in range(3):
        training.step()
    assert len(facts(training, GradientsSeen)) == 1


def averaged(values: Any, source: Any, start: Any = DRAWN) -> Tensor:
    """A frozen tensor that a check saw with these values, beside a trainable one with those of ``source``."""
    mine, weight = Tensor("ema.w", start, trainable=False), Tensor("m.weight", [1.0])
    training = Training(mine, Tensor("net.w", source), weight, check_every=1)
    training.optimizer(weight)
    training.step()
    mine.values[:] = values
    training.step()
    return mine


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        (OTHER, 1.0),
        (np.nextafter(OTHER, np.float32(9)), 0.0),  # rounding leaves no more of it to see
        (OTHER * np.float32(1.001), None),
    ],
)
def test_a_tensor_that_was_seen_without_a_copy_follows_what_it_equals(values: Any, rate: float | None) -> None:
    move = only(averaged(values, OTHER))
    assert (move.follows, move.rate) == ((None if rate is None else "net.w"), rate)


def test_a_move_of_last_places_beside_an_equal_source_may_be_an_average() -> None:
    mine = Tensor("ema.w", DRAWN, trainable=False)
    weight, source = Tensor("m.weight", [1.0]), Tensor("net.w", DRAWN)
    training = Training(mine, source, weight, check_every=1)
    training.optimizer(weight)
    training.step()
    for toward in (9, -9, 9):
        mine.values[::2] = np.nextafter(mine.values[::2], np.float32(toward))
        training.step()
    assert mine.row.changed.followed == "net.w"
