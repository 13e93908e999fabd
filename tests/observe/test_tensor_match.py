"""What a tensor on its way into a file holds of the one in memory, whatever framework wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from tests.observe.memory import Tensor, Training

from frostline.core.columns.part import Part
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_match import Likeness, Written, are_close, likeness, sampled, values_of
from frostline.observe.tensor_state import TensorState

BEGAN = np.arange(12, dtype=np.float32).reshape(6, 2)
NOW = BEGAN + 1


def watched(now: ArrayLike = NOW, began: ArrayLike = BEGAN) -> TensorState:
    """A tensor that was seen with its first values and holds others now."""
    tensor = Tensor("m.w", began)
    training = Training(tensor)
    training.optimizer(tensor)
    training.step()
    tensor.values = np.array(now, np.float32)
    return training.watched(tensor)


def written(values: ArrayLike, dtype: str = "float32", **more: Any) -> Written:
    held = Tensor("w", values, dtype=dtype)
    return Written("w", "", held.values.shape, dtype, held.values.nbytes, held, **more)


@pytest.mark.parametrize(
    ("values", "dtype", "found"),
    [
        (NOW, "float32", Likeness("same")),
        (NOW, "float16", Likeness("rounded")),
        (BEGAN, "float32", Likeness("first")),
        (BEGAN + 2, "float32", Likeness("other")),
        (np.zeros((6, 2)), "float32", Likeness("zero")),
        (np.zeros((6, 2)), "float16", Likeness("zero")),
        (NOW.T, "float32", Likeness("other")),
        (NOW[:2], "float32", Likeness("fewer-rows", 2, False)),
        (NOW[:2] + 1, "float32", Likeness("other")),
        (NOW[:2], "float16", Likeness("other")),
        (NOW[:2, :1], "float32", Likeness("other")),
        (NOW[:0], "float32", Likeness("other")),
        (np.arange(12), "int32", Likeness("other")),
        (NOW, "int32", Likeness("other")),
        (NOW, "complex64", Likeness("other")),
    ],
)
def test_what_a_file_holds_of_a_tensor(values: Any, dtype: str, found: Likeness) -> None:
    assert likeness(written(values, dtype), watched()) == found


def test_rows_that_are_left_out_may_all_be_zero() -> None:
    now = np.concatenate([NOW[:2], np.zeros((4, 2)), np.full((1, 2), -0.0)])
    assert likeness(written(now[:2]), watched(now)) == Likeness("fewer-rows", 2, True)
    assert likeness(written(now[:1]), watched(now)) == Likeness("fewer-rows", 1, False)


@pytest.mark.parametrize(("dtype", "state"), [("float32", "fewer-rows"), ("float16", "other")])
def test_rows_of_another_type_are_no_part_though_their_bytes_are_the_same(dtype: str, state: str) -> None:
    now = np.concatenate([np.zeros((2, 2)), NOW[2:]])
    assert likeness(written(np.zeros((2, 2)), dtype), watched(now)).state == state


def test_rows_that_are_left_out_are_zero_where_all_of_many_are() -> None:
    now = np.zeros((40_000, 2), np.float32)
    now[0] = 1
    assert likeness(written(now[:1]), watched(now, now + 1)) == Likeness("fewer-rows", 1, True)
    now[-1, -1] = 1
    assert likeness(written(now[:1]), watched(now, now + 1)) == Likeness("fewer-rows", 1, False)


def test_complex_numbers_are_rounded_too() -> None:
    tensor = Tensor("m.w", np.arange(4) + 0.1j, dtype="complex128")
    training = Training(tensor)
    training.optimizer(tensor)
    assert likeness(written(tensor.values, "complex64"), training.watched(tensor)) == Likeness("rounded")
    assert likeness(written(tensor.values + 1, "complex64"), training.watched(tensor)) == Likeness("other")


def test_the_parts_that_are_read_of_a_large_tensor() -> None:
    part = 64 * 1024
    assert list(sampled(0)) == []
    assert [start // part for start, _ in sampled(10 * part)] == [0, 5, 6, 9]
    assert list(sampled(2 * part + 1)) == [(0, part), (part, 2 * part), (2 * part, 2 * part + 1)]


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        (np.arange(8.0), np.arange(8.0) * 3 + 1, True),
        (np.arange(8.0), np.arange(8.0)[::-1], False),
        (np.arange(8.0), np.arange(9.0), False),
        (np.arange(7.0), np.arange(7.0), False),
        (np.array([0, 0, 0, 0, 1, 1, 1, 1.0]), np.array([0, 0, 0, 0, 0, 1, 1, 1.0]), True),
        (np.array([0, 0, 0, 0, 1, 1, 1, 1.0]), np.array([0, 0, 1, 1, 0, 0, 1, 1.0]), False),
    ],
)
def test_values_that_go_together(one: Any, other: Any, close: bool) -> None:
    assert are_close(one, other) is close


def test_no_more_values_than_the_first_are_compared() -> None:
    tensor = Tensor("m.w", np.arange(200))
    found = values_of(tensor, "float32", 200)
    assert found is not None
    assert len(found) == 128


def test_what_does_not_fit_into_the_type_of_the_file_overflows() -> None:
    large = np.full((6, 2), 1e6, np.float32)
    with np.errstate(over="ignore"):
        assert likeness(written(large, "float16"), watched(large)) == Likeness("overflow")


def test_zeros_of_a_tensor_that_begins_with_zeros_are_what_it_began_with() -> None:
    now = np.where(np.arange(12).reshape(6, 2) == 11, 5, 0)
    began = np.zeros((6, 2))
    assert likeness(written(began), watched(now, began)).state == "zero"
    assert likeness(written(began), watched(began, now)).state == "same"


def test_the_first_bits_are_those_of_every_block() -> None:
    began = np.arange(2**19, dtype=np.float32)  # four blocks
    other_end, other_start = began.copy(), began.copy()
    other_end[2**19 - 2**16 : 2**19 - 9], other_start[0] = 7, 7
    assert likeness(written(began), watched(began + 1, began)).state == "first"
    assert likeness(written(other_end), watched(began + 1, began)).state == "other"
    assert likeness(written(other_start), watched(began + 1, began)).state == "other"


def test_what_was_never_read_began_with_nothing_that_is_known() -> None:
    state = watched()
    state.first = None
    assert likeness(written(BEGAN), state).state == "other"


def test_of_a_sharded_tensor_the_part_that_this_process_holds_is_compared() -> None:
    state = watched(NOW[:3], BEGAN[:3])
    state.row.part, state.row.shape = Part("0:3", 6), (6, 2)
    whole = written(NOW)
    with pytest.raises(Unreadable, match="which part"):
        likeness(whole, state)
    assert likeness(replace(whole, cut=lambda _: written(NOW[:3])), state) == Likeness("same")
    assert likeness(replace(whole, cut=lambda _: written(BEGAN[:3])), state) == Likeness("first")


@pytest.mark.parametrize(
    ("values", "dtype", "known"),
    [
        (np.arange(8), "float32", True),
        (np.arange(7), "float32", False),  # few go together with others by chance
        (np.ones(8), "float32", False),
        (np.arange(8), "float16", True),
        (np.arange(8), "int64", False),
        (np.arange(8), "complex64", False),
    ],
)
def test_values_that_can_be_compared_with_others(values: ArrayLike, dtype: str, known: bool) -> None:
    tensor = Tensor("m.w", values, dtype=dtype)
    found = values_of(tensor, dtype, tensor.values.size)
    assert (found is not None and found.tolist() == tensor.values.tolist()) is known
