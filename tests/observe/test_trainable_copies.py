"""Trainable tensors that no optimizer holds are followed too, where they may be copies: targets, and averages."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training

VALUES = np.random.default_rng(0).normal(size=24)
Write = Callable[[Tensor, Tensor], None]


def copied(target: Tensor, source: Tensor) -> None:
    target.values[:] = source.values


def averaged(target: Tensor, source: Tensor) -> None:
    target.values[:] = 0.75 * target.values + 0.25 * source.values


def shuffled(target: Tensor, source: Tensor) -> None:
    target.values[:] = target.values[::-1]


def trained(write: Write, every: int, *, held: bool = False) -> tuple[Training, Tensor]:
    """A training of 20 steps in which the script writes to a tensor of the same shape, and that tensor."""
    source, target = Tensor("q.weight", VALUES), Tensor("target.weight", VALUES)
    training = Training(source, target)
    training.optimizer(source, *([target] if held else []))
    source.grad = np.cos(VALUES)
    for step in range(20):
        training.step()
        if step % every == every - 1:
            write(target, source)
    return training, target


@pytest.mark.parametrize("every", [1, 3, 5])
@pytest.mark.parametrize(
    ("write", "source", "rate"),
    [(copied, "q.weight", 1.0), (averaged, "q.weight", 0.25), (shuffled, None, None)],
)
def test_what_a_target_was_written_with_is_said(
    write: Write, source: str | None, rate: float | None, every: int
) -> None:
    training, target = trained(write, every)
    assert target.row.changed.followed == source
    assert [move.rate for move in target.row.changed.movements if move.rate is not None] == [rate] * bool(source)
    copies = target.row.changed.copies
    assert copies == ({1.0: (1, 1), 0.25: (0, 1)}[rate] if rate else None)
    watched = training.watched(target)
    assert watched.settled  # once it is known, nobody reads it any more
    assert watched.copy is None


def test_what_an_optimizer_holds_is_followed_by_nobody() -> None:
    training, target = trained(copied, 3, held=True)
    assert training.watched(target).pursuit == 0
    assert target.row.changed.followed is None


def test_without_a_trained_tensor_of_its_shape_it_is_followed_by_nobody() -> None:
    source, target = Tensor("q.weight", VALUES), Tensor("target.weight", VALUES[:12])
    training = Training(source, target)
    training.optimizer(source)
    training.step()
    target.values += 1
    training.step()
    training.step()
    assert training.watched(target).pursuit == 0
    assert training.watched(target).settled
