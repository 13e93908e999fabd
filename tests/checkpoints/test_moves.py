"""The numbers of a change, against numpy over the whole tensor at once."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.diff.compare import measured
from frostline.checkpoints.diff.moves import Move
from frostline.checkpoints.files.sources import Held

DTYPES = ["f2", "f4", "f8", "i1", "i8", "u8", "?", "c8", "c16", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]


def tensor(array: np.ndarray) -> Tensor:
    return Tensor("w", array.dtype.name, array.shape, Held(np.ascontiguousarray(array).tobytes()))


def words(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.dtype.itemsize)


@given(
    data=st.data(),
    dtype=st.sampled_from(DTYPES),
    shape=st.lists(st.integers(1, 40), min_size=0, max_size=3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=200, deadline=None)
def test_against_numpy(data: Any, dtype: Any, shape: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    old = random.integers(0, 2 if dtype == "?" else 100, shape).astype(dtype)
    new = np.array(old)
    where = random.random(shape) < data.draw(st.sampled_from([0, 0.01, 0.5, 1]))
    new[where] = random.integers(0, 2 if dtype == "?" else 100, shape).astype(dtype)[where]
    changed = (words(old) != words(new)).any(axis=1)
    move = measured(tensor(old), tensor(new))
    if not changed.any():
        assert move is None
        return
    assert move is not None
    assert (move.elements, move.changed) == (old.size, changed.sum())
    wide = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
    gap = np.abs(new.astype(wide) - old.astype(wide)).ravel()[changed]
    assert move.largest == pytest.approx(gap.max())
    length = np.linalg.norm(old.astype(wide).ravel()[changed])
    assert move.relative == (pytest.approx(np.linalg.norm(gap) / length) if length else None)
    if shape:
        rows = np.flatnonzero(changed.reshape(shape[0], -1).any(axis=1))
        assert (move.rows, move.rows_changed) == (shape[0], len(rows))
        assert [row for first, last in move.ranges for row in range(first, last + 1)] == rows.tolist()[: len_of(move)]


def len_of(move: Move) -> int:
    return sum(last - first + 1 for first, last in move.ranges)


def test_rows_that_span_pieces_are_counted_once() -> None:
    old = np.zeros((3, 400_000), "f4")
    new = old + np.array([[1], [0], [1]], "f4")
    move = measured(tensor(old), tensor(new))
    assert move is not None
    assert (move.rows_changed, move.ranges, move.changed) == (2, [(0, 0), (2, 2)], 800_000)


def test_runs_across_pieces_are_joined() -> None:
    old = np.zeros((1_000_000, 1), "f4")
    move = measured(tensor(old), tensor(old + 1))
    assert move is not None
    assert (move.rows_changed, move.ranges) == (1_000_000, [(0, 999_999)])


def test_many_runs_are_counted_though_only_some_are_listed() -> None:
    old = np.zeros((1000, 2), "f4")
    new = old.copy()
    new[::3] = 1
    move = measured(tensor(old), tensor(new))
    assert move is not None
    assert (move.rows_changed, len(move.ranges)) == (334, 64)


def test_numbers_that_share_bytes() -> None:
    old = Tensor("w", "float4_e2m1fn", (8,), Held(bytes([0x00, 0x11, 0x22, 0x33])))
    new = Tensor("w", "float4_e2m1fn", (8,), Held(bytes([0x01, 0x11, 0x44, 0x33])))
    move = measured(old, new)
    assert move is not None
    assert (move.changed, move.elements, move.unit, move.largest) == (3, 8, "elements", None)
    packed = measured(Tensor("w", "Q8_0", (32,), Held(bytes(34))), Tensor("w", "Q8_0", (32,), Held(b"\1" + bytes(33))))
    assert packed is not None
    assert (packed.changed, packed.elements, packed.unit) == (1, 34, "bytes")


def test_infinities_are_no_distance() -> None:
    old, new = np.array([1, np.inf, 2], "f4"), np.array([np.inf, -np.inf, 4], "f4")
    move = measured(tensor(old), tensor(new))
    assert move is not None
    assert (move.changed, move.largest) == (3, 2)
