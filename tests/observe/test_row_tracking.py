"""Rows that are to stay, by the user's word or by a mask on the gradient: what is told of them after each check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from tests.observe.memory import Tensor, Training

from frostline.core.facts import RowsCompared
from frostline.core.ledger import RowsSeen
from frostline.observe.protocols import MaskedGradient, Unreadable


def matrix(rows: int = 4) -> Tensor:
    return Tensor("m.embed", np.arange(1.0, 2 * rows + 1).reshape(rows, 2))


def training_of(weight: Tensor, *frozen: str, **settings: Any) -> Training:
    training = Training(weight, frozen=frozen, **settings)
    training.optimizer(weight, weight_decay=settings.get("weight_decay", 0.0))
    return training


def told(training: Training) -> list[RowsSeen]:
    return [fact.seen for fact in training.observer.journal.facts() if isinstance(fact, RowsCompared)]


def step(training: Training, weight: Tensor, moves: ArrayLike) -> None:
    """A step that moves the weight by this."""
    with training.inside():
        weight.values -= np.asarray(moves, "float32")


# By the user's word


def test_named_rows_that_a_step_moved_are_told_with_the_step() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]")
    step(training, weight, [[0, 0], [0, 1], [1, 1], [0, 0]])
    training.observer.close()
    seen = weight.row.rows[0]
    assert (seen.unit, seen.compared, seen.moved, seen.ranges) == ("row", 2, 1, ["1:2"])
    assert (seen.expected, seen.pattern) == ("frozen", "m.embed[:2]")
    assert (seen.first_step, seen.place, seen.optimizer) == (1, "step", "sgd")
    assert (seen.lr, seen.weight_decay, seen.state) == (0.5, 0.0, False)


def test_a_step_that_moves_named_rows_is_known_when_its_check_is_over() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]")
    step(training, weight, np.ones((4, 2)))
    assert (weight.row.rows[0].place, weight.row.rows[0].first_step) == ("step", 1)


def test_named_rows_that_stay_are_told_once() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]")
    for _ in range(4):
        step(training, weight, [[0, 0], [0, 0], [1, 1], [1, 0]])
    training.observer.close()
    assert [(seen.compared, seen.moved, seen.first_step) for seen in told(training)] == [(2, 0, None)]


def test_named_rows_that_move_between_steps_are_no_steps_doing() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]", check_every=1)
    step(training, weight, np.zeros((4, 2)))
    weight.values[0] += 1
    step(training, weight, np.zeros((4, 2)))
    training.observer.close()
    seen = weight.row.rows[0]
    assert (seen.first_step, seen.place, seen.optimizer, seen.moved) == (2, "between", None, 1)


def test_a_move_after_the_last_check_is_seen_at_the_end() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]")
    step(training, weight, np.zeros((4, 2)))
    weight.values[:2] += 1
    training.observer.close()
    assert (weight.row.rows[0].moved, weight.row.rows[0].place) == (2, "between")


def test_what_a_step_moved_and_the_script_put_back_has_not_moved_for_good() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]", check_every=1)
    first = weight.values.copy()
    for _ in range(2):
        step(training, weight, np.ones((4, 2)))
        weight.values[:2] = first[:2]
    training.observer.close()
    assert (weight.row.rows[0].moved, weight.row.rows[0].place, weight.row.rows[0].first_step) == (0, "step", 1)


@pytest.mark.parametrize(
    "other", [Tensor("m.scale", 1.0), Tensor("m.none", np.zeros((0, 2))), Tensor("n.embed", [1.0])]
)
def test_other_tensors_have_no_rows_of_the_pattern(other: Tensor) -> None:
    training = training_of(other, "m.scale[:1]", "m.none[:1]", "m.embed[:1]")
    training.step()
    assert told(training) == []


def test_a_tensor_that_cannot_be_read_is_compared_when_it_can() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]", check_every=1)
    step(training, weight, np.zeros((4, 2)))
    weight.unreadable = Unreadable("elsewhere")
    step(training, weight, np.ones((4, 2)))
    weight.unreadable = None
    training.observer.close()
    assert (weight.row.rows[0].moved, weight.row.rows[0].place) == (2, "between")


def test_a_pattern_names_a_tensor_by_any_of_its_names() -> None:
    weight = matrix()
    training = training_of(weight, "m.tied[:2]")
    weight.row.aliases.append("m.tied")
    step(training, weight, np.ones((4, 2)))
    assert weight.row.rows[0].pattern == "m.tied[:2]"


def test_the_first_move_is_told_with_its_step_whatever_moved_the_rows_later() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]", check_every=1)
    step(training, weight, np.zeros((4, 2)))
    weight.values[0] += 1
    for _ in range(3):
        step(training, weight, np.ones((4, 2)))
    assert (weight.row.rows[0].first_step, weight.row.rows[0].place) == (2, "step")


def test_rows_that_are_to_be_trained_are_told_of_too() -> None:
    weight = matrix()
    training = Training(weight, trained=("m.embed[2:]", "m.embed[::3]"))
    training.optimizer(weight)
    step(training, weight, [[1, 0], [0, 0], [1, 1], [0, 0]])
    training.observer.close()
    assert [(seen.expected, seen.compared, seen.moved, seen.ranges) for seen in weight.row.rows] == [
        ("trained", 2, 1, ["2:3"]),
        ("trained", 2, 1, ["0:1"]),
    ]


# By a mask


def masked(training: Training, made: ArrayLike, left: ArrayLike, name: str = "m.embed") -> None:
    training.probe.masks = {name: MaskedGradient(np.asarray(made, bool), np.asarray(left, bool), "a hook")}


ALL, LOWER = np.ones((4, 2)), np.array([[0, 0], [0, 0], [1, 1], [1, 1]])


def test_rows_whose_gradient_a_mask_took_and_that_moved_all_the_same() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    masked(training, ALL, LOWER)
    for _ in range(3):
        step(training, weight, 0.5 * weight.values)
    training.observer.close()
    [seen] = weight.row.rows
    assert (seen.unit, seen.compared, seen.moved, seen.ranges) == ("row", 2, 2, ["0:2"])
    assert (seen.expected, seen.how, seen.checks, seen.place, seen.first_step) == (None, "a hook", 3, "step", 1)
    assert seen.ratio == 0.5


def test_elements_are_told_where_no_whole_rows_were_masked() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    left = ALL - np.eye(4, 2)
    masked(training, ALL, left)
    for _ in range(2):
        step(training, weight, np.eye(4, 2))
    training.observer.close()
    [seen] = weight.row.rows
    assert (seen.unit, seen.compared, seen.moved) == ("element", 2, 2)


@pytest.mark.parametrize(
    ("made", "left", "moves"),
    [
        (ALL, LOWER, LOWER),  # what was masked stays
        (ALL, ALL, ALL),  # nothing is masked
        (LOWER, LOWER, ALL),  # nothing was there to mask
        (ALL, 0 * ALL, ALL),  # no mask lets nothing through
    ],
)
def test_what_is_no_broken_mask(made: ArrayLike, left: ArrayLike, moves: ArrayLike) -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    masked(training, made, left)
    for _ in range(3):
        step(training, weight, moves)
    training.observer.close()
    assert told(training) == []


def test_a_mask_that_changes_is_none() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    for left in (LOWER, 1 - LOWER):
        masked(training, ALL, left)
        step(training, weight, np.ones((4, 2)))
    training.observer.close()
    assert told(training) == []


def test_a_mask_may_begin_late() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    for left in (ALL, LOWER, LOWER):
        masked(training, ALL, left)
        step(training, weight, np.ones((4, 2)))
    training.observer.close()
    assert [(seen.compared, seen.moved, seen.checks) for seen in weight.row.rows] == [(2, 2, 2)]


@pytest.mark.parametrize("tensor", [Tensor("m.embed", np.ones(8)), Tensor("m.embed", np.zeros((0, 2)))])
def test_only_what_has_rows_is_compared(tensor: Tensor) -> None:
    training = training_of(tensor, check_every=1)
    masked(training, np.ones(tensor.values.shape), np.zeros(tensor.values.shape))
    for _ in range(2):
        step(training, tensor, np.ones(tensor.values.shape))
    training.observer.close()
    assert told(training) == []


def test_masks_of_tensors_of_no_model_are_left_alone() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    masked(training, ALL, LOWER, name="m.other")
    step(training, weight, np.ones((4, 2)))
    training.observer.close()
    assert told(training) == []


@pytest.mark.parametrize(("keep_bytes", "ratio"), [(3 * 32, 0.5), (3 * 32 - 1, None)])
def test_rows_are_compared_where_memory_does_not_suffice_for_elements(keep_bytes: int, ratio: float | None) -> None:
    weight = matrix()
    training = training_of(weight, check_every=1, keep_bytes=keep_bytes)
    masked(training, ALL, LOWER)
    for _ in range(2):
        step(training, weight, 0.5 * weight.values * (1 - LOWER))
    training.observer.close()
    assert [(seen.unit, seen.compared, seen.moved, seen.ratio) for seen in weight.row.rows] == [("row", 2, 2, ratio)]


def test_a_step_for_which_nothing_was_let_through_is_no_masks_doing() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    for left, moves in ((0 * ALL, ALL), (LOWER, LOWER)):
        masked(training, ALL, left)
        step(training, weight, moves)
    training.observer.close()
    assert told(training) == []


def test_memory_for_elements_is_spent_once() -> None:
    first, second = matrix(), Tensor("m.other", np.arange(1.0, 9.0).reshape(4, 2))
    training = Training(first, second, check_every=1, keep_bytes=3 * 32 + 1)
    training.optimizer(first, second)
    seen = MaskedGradient(ALL.astype(bool), LOWER.astype(bool), "a hook")
    training.probe.masks = {tensor.key: seen for tensor in (first, second)}
    for _ in range(2):
        with training.inside():
            for tensor in (first, second):
                tensor.values -= 0.5 * tensor.values
    training.observer.close()
    assert [tensor.row.rows[0].ratio for tensor in (first, second)] == [0.5, None]


def test_a_mask_says_nothing_before_it_moved_anything_for_good() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    masked(training, ALL, LOWER)
    step(training, weight, np.ones((4, 2)))
    assert told(training) == []  # the script may undo it before the next step


def test_other_rows_that_a_mask_lets_through_later_say_nothing_of_a_step_that_had_none() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    for made, left, moves in ((1 - LOWER, 0 * ALL, ALL), (LOWER, LOWER, LOWER)):
        masked(training, made, left)
        step(training, weight, moves)
    training.observer.close()
    assert told(training) == []


def test_a_tensor_that_cannot_be_read_after_a_step_is_compared_later() -> None:
    weight = matrix()
    training = training_of(weight, "m.embed[:2]", check_every=1)
    step(training, weight, np.zeros((4, 2)))
    with training.inside():
        weight.values += 1
        weight.unreadable = Unreadable("elsewhere")
    assert weight.row.rows[0].moved == 0
    weight.unreadable = None
    training.observer.close()
    assert (weight.row.rows[0].moved, weight.row.rows[0].place) == (2, "between")


def test_a_mask_that_is_gone_says_nothing_of_later_steps() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    masked(training, ALL, LOWER)
    step(training, weight, LOWER)
    training.probe.masks = {}
    for _ in range(2):
        step(training, weight, ALL)
    training.observer.close()
    assert told(training) == []


def test_a_script_that_steps_by_hand_has_no_masks() -> None:
    weight = matrix()
    training = training_of(weight, check_every=1)
    training.observer.optimizers["sgd"].by_hand = True
    masked(training, ALL, LOWER)
    for _ in range(2):
        step(training, weight, ALL)
    training.observer.close()
    assert told(training) == []


@pytest.mark.parametrize(("dtype", "ratio"), [("float64", 0.5), ("complex128", None)])
def test_elements_of_more_than_eight_bytes_are_told_by_their_rows(dtype: str, ratio: float | None) -> None:
    weight = Tensor("m.embed", np.arange(1.0, 9.0).reshape(4, 2), dtype=dtype)
    training = training_of(weight, check_every=1)
    masked(training, ALL, LOWER)
    for _ in range(2):
        with training.inside():
            weight.values *= 0.5
    training.observer.close()
    assert [(seen.unit, seen.compared, seen.ratio) for seen in weight.row.rows] == [("row", 2, ratio)]
