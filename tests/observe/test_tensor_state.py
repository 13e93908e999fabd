"""What is remembered of one tensor from look to look."""

import numpy as np
from tests.observe.memory import Tensor, Training, places

from frostline.observe.protocols import NotNow, Unreadable


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


def states() -> tuple[Training, Tensor, Tensor]:
    """A weight that a step moved, beside a frozen one."""
    weight, frozen = Tensor("m.weight", [1.0, 2.0]), Tensor("m.frozen", [3.0], trainable=False)
    training = Training(weight, frozen)
    training.optimizer(weight)
    training.step()
    return training, weight, frozen


def test_a_trainable_parameter_that_moved_is_one_that_can_be_read_and_has_values() -> None:
    training, weight, frozen = states()
    watched = training.watched(weight)
    assert watched.is_moved_trainable
    assert not training.watched(frozen).is_moved_trainable
    for field, value in (("kind", "buffer"), ("size", 0)):
        former = getattr(weight.row, field)
        setattr(weight.row, field, value)
        assert not watched.is_moved_trainable
        setattr(weight.row, field, former)
    watched.lose("freed")
    assert not watched.is_moved_trainable


def test_the_first_bits_are_looked_for_in_what_can_be_read() -> None:
    training, weight, frozen = states()
    assert not training.watched(weight).has_first_bits()
    assert training.watched(frozen).has_first_bits()
    weight.values[:] = [1.0, 2.0]
    assert training.watched(weight).has_first_bits()
    weight.masked_gradients = Unreadable("freed")
    assert not training.watched(weight).has_first_bits()
    late = Tensor("m.late", [1.0])
    late.masked_gradients = NotNow("donated")
    assert not training.add(late).has_first_bits()  # it never had any


def test_what_cannot_be_read_for_the_time_being_is_looked_at_another_time() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    frozen.masked_gradients = NotNow("donated")
    assert watched.look(99, whole=False) is None
    assert "changed" not in frozen.row.unknown
    assert watched.look(99, whole=False, last=True) is None
    assert frozen.row.unknown["changed"] == "donated"


def test_a_tensor_that_is_gone_is_unknown_with_its_reason_at_the_next_look() -> None:
    training, _, frozen = states()
    frozen.masked_gradients = Unreadable("freed")
    assert training.watched(frozen).look(99, whole=False) is None
    assert (frozen.row.changed.verdict, frozen.row.unknown["changed"]) == ("unknown", "freed")


def test_reading_stops_at_the_first_block_that_differs_and_where_none_does_the_baseline_stays() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    before = watched.digest
    assert watched.look(99, whole=False) is None
    assert watched.digest is before
    frozen.values += 1
    reading = watched.look(101, whole=False)
    assert reading is not None
    assert (reading.blocks_moved, watched.digest == before) == (1, False)
