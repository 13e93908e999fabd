"""Copies are compared with their source right after a write: how often they had all of its bits, of how many looks."""

import numpy as np
from tests.observe.memory import Tensor, Training

from frostline.core.facts import Followed
from frostline.observe.moves.copy_checks import compare_copies
from frostline.observe.protocols import Unreadable


def target_of(source: Tensor, training: Training) -> Tensor:
    target = Tensor(source.name.replace("q.", "target."), np.array(source.values))
    training.add(target)
    training.observer.tell(Followed(tensor=target.row.id, source=source.row.name))
    return target


def test_a_copy_that_is_another_once_is_counted_so() -> None:
    source = Tensor("q.weight", [1.0, 2.0, 3.0])
    training = Training(source)
    target = target_of(source, training)
    training.optimizer(source, target)  # which is held, so that nobody else compares it
    for wrong in (0.0, 0.0, 0.125, 0.0):
        training.step()
        target.values[:] = source.values + wrong
        compare_copies(training.observer.tracked, [target.key, source.key])
    assert target.row.changed.copies == (3, 4)
    assert source.row.changed.copies is None  # it follows nobody


def test_digests_made_on_an_accelerator_are_compared_without_reading() -> None:
    source = Tensor("q.weight", [1.0, 2.0, 3.0])
    training = Training(source)
    target = target_of(source, training)
    training.probe.on_accelerator.update({source.key, target.key})
    compare_copies(training.observer.tracked, [target.key])
    assert target.row.changed.copies == (1, 1)


def test_what_cannot_be_read_is_not_compared() -> None:
    source = Tensor("q.weight", [1.0, 2.0, 3.0])
    training = Training(source)
    target = target_of(source, training)
    source.unreadable = Unreadable("it was freed")
    compare_copies(training.observer.tracked, [target.key])
    assert target.row.changed.copies is None
