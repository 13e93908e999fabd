"""What is remembered of one tensor from look to look."""

from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, places

from frostline.core.facts import BaselineTaken
from frostline.observe.protocols import NotNow, Unreadable
from frostline.observe.tensor_state import Reading


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
    weight.unreadable = Unreadable("freed")
    assert not training.watched(weight).has_first_bits()
    late = Tensor("m.late", [1.0])
    late.unreadable = NotNow("donated")
    assert not training.add(late).has_first_bits()  # it never had any


def test_what_cannot_be_read_for_the_time_being_is_looked_at_another_time() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    frozen.unreadable = NotNow("donated")
    assert watched.look(99, whole=False) is None
    assert "changed" not in frozen.row.unknown
    assert watched.look(99, whole=False, last=True) is None
    assert frozen.row.unknown["changed"] == "donated"


def test_a_tensor_that_is_gone_is_unknown_with_its_reason_at_the_next_look() -> None:
    training, _, frozen = states()
    frozen.unreadable = Unreadable("freed")
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


def baselines(training: Training, tensor: Tensor) -> list[int | None]:
    facts = training.observer.journal.facts()
    return [fact.blocks for fact in facts if isinstance(fact, BaselineTaken) and fact.tensor == tensor.row.id]


def test_a_baseline_is_told_when_there_is_one_and_when_it_is_lost_for_the_time_being() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    watched.rebase(5)
    assert (baselines(training, frozen), watched.read_at) == ([1], 5)
    frozen.unreadable = NotNow("donated")
    for again in (6, 7):
        watched.rebase(again)
        assert baselines(training, frozen) == [1, None]
    assert (baselines(training, frozen), watched.digest, watched.settled) == ([1, None], None, False)
    frozen.unreadable = None
    assert watched.look(8, whole=True) is None  # the baseline from here on
    assert (baselines(training, frozen), watched.read_at) == ([1, None, 1], 8)
    frozen.unreadable = Unreadable("freed")
    watched.rebase(9)
    assert (watched.settled, frozen.row.unknown["changed"]) == (True, "freed")


def test_a_tensor_that_takes_the_place_of_another_is_read_anew() -> None:
    training, weight, _ = states()
    watched = training.watched(weight)
    assert watched.settled
    weight.values = np.arange(2**18, dtype=np.float32)  # two blocks
    watched.restart(9)
    assert (watched.settled, watched.read_at, baselines(training, weight)) == (False, 9, [1, 2])
    assert watched.look(10, whole=True) is None


def test_what_had_no_value_all_along_says_so_at_the_end() -> None:
    training, _, _ = states()
    late = Tensor("m.late", [1.0])
    late.unreadable = NotNow("donated")
    watched = training.add(late)
    assert watched.look(9, whole=True, last=True) is None
    assert late.row.unknown["changed"] == "it had no value before the run was over"
    assert watched.look(10, whole=True, last=True) is None  # it is not asked again


def test_what_was_read_a_moment_ago_needs_no_other_look() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    frozen.unreadable = Unreadable("freed")
    assert watched.look(watched.read_at, whole=True, last=True) is None
    assert "changed" not in frozen.row.unknown


@pytest.mark.parametrize(("keep", "moves", "read"), [(False, True, 0), (True, False, 0), (True, True, 1)])
def test_bytes_come_from_an_accelerator_where_a_copy_is_kept_of_what_moved(keep: bool, moves: bool, read: int) -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    watched.keep = keep
    watched.take_copy()
    before = watched.copy
    frozen.values += moves
    training.probe.on_accelerator.add(frozen.key)
    made = training.probe.digests([frozen])[frozen.key]
    reads: list[Any] = []
    frozen.read = lambda: reads.append(1) or frozen.values  # type: ignore[method-assign,func-returns-value]
    found = watched.look(9, whole=True, made=made)
    assert (len(reads), watched.digest) == (read, made)
    assert (found is not None) is moves
    if found is not None:
        assert (found.before, found.after) == (before, bytes(frozen.values) if keep else None)
        assert watched.copy == found.after


def test_new_bytes_are_taken_where_somebody_asks_for_them() -> None:
    training, _, frozen = states()
    training.watched(frozen).keep = False
    training.watched(frozen).take_copy()  # drops the one there was
    frozen.values += 1
    reading = training.watched(frozen).look(9, whole=True, copying=True)
    assert reading is not None
    assert (reading.before, reading.after) == (None, bytes(frozen.values))
    assert training.watched(frozen).copy is None


def test_steps_of_a_flag_are_counted_from_when_they_were_last_asked_for() -> None:
    training, _, frozen = states()
    watched = training.watched(frozen)
    assert [watched.count_flag_steps(steps) for steps in (3, 5, 4)] == [(False, 3), (False, 2), (False, 0)]


def test_how_a_move_looks_is_told_of_readings_alike_of_a_shard_by_its_numbers() -> None:
    matrix = Tensor("m.w", np.ones((4, 2)), trainable=False)
    training = Training(matrix)
    watched = training.watched(matrix)
    one, other = (np.full(8, value, "float32").tobytes() for value in (1, 2))
    assert watched.shift_of(Reading(1, one, other)) == watched.compare(one, other)
    assert watched.compare(one, other).max_abs == 1.0
    assert watched.compare(one[:16], other[:16]).elements == 4  # of a shard
    for before, after in ((None, other), (one, None), (one[:16], other)):
        assert watched.shift_of(Reading(1, before, after)) is None
