"""What is remembered of one tensor from look to look."""

import numpy as np
from tests.observe.memory import Tensor, Training, places


def test_weights_put_in_for_an_evaluation_and_taken_out_again_leave_no_trace() -> None:
    frozen, weight = Tensor("m.frozen", range(32), trainable=False), Tensor("m.weight", [1.0])
    training = Training(frozen, weight)
    training.optimizer(weight)
    training.step()
    before = frozen.values.copy()

    frozen.values[:] = np.arange(32)[::-1]
    assert training.observer.look_now([frozen.key], "outside") == [training.watched(frozen)]
    assert frozen.row.changed.verdict == "yes"
    frozen.values[:] = before
    assert training.observer.look_now([frozen.key], "outside") == []

    assert (frozen.row.changed.verdict, frozen.row.changed.movements) == ("unknown", [])
    training.observer.close()
    assert frozen.row.changed.verdict == "no"


def test_what_moved_before_the_swap_stays_known() -> None:
    frozen, weight = Tensor("m.frozen", range(32), trainable=False), Tensor("m.weight", [1.0])
    training = Training(frozen, weight)
    training.optimizer(weight)
    training.step()
    frozen.values += 1
    training.step()
    for values in (np.zeros(32), np.arange(32) + 1):
        frozen.values[:] = values
        training.observer.look_now([frozen.key], "outside")
    assert places(frozen) == [("outside", 1, 2)]


def test_other_bits_than_before_the_swap_are_a_second_move() -> None:
    frozen, weight = Tensor("m.frozen", range(32), trainable=False), Tensor("m.weight", [1.0])
    training = Training(frozen, weight)
    training.optimizer(weight)
    training.step()
    for move in (1, 2):
        frozen.values += move
        training.observer.look_now([frozen.key], "outside")
    assert len(places(frozen)) == 2
