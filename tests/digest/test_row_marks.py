"""Rows and elements told apart by their bits."""

import numpy as np
import pytest

from frostline.digest.rows import element_marks, ranges, row_marks, rows_with


def chosen(*indices: int, size: int) -> np.ndarray:
    marks = np.zeros(size, np.bool_)
    marks[list(indices)] = True
    return marks


@pytest.mark.parametrize("shape", [(5, 3), (5,), (5, 2, 2)])
def test_every_row_has_a_mark_of_its_bits(shape: tuple[int, ...]) -> None:
    before = np.random.default_rng(0).standard_normal(shape).astype("f4")
    after = before.copy()
    after[3] = -after[3]
    marks = row_marks(before, 5)
    assert marks.shape == (5,)
    assert (row_marks(after, 5) != marks).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("itemsize", [1, 2, 4, 8])
def test_an_elements_mark_is_its_bits_in_a_copy(itemsize: int) -> None:
    held = np.arange(1, 6, dtype=f"<u{itemsize}")
    marks = element_marks(held, itemsize)
    assert marks is not None
    held[2] = 77
    assert marks.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("itemsize", [3, 16])
def test_other_elements_have_none(itemsize: int) -> None:
    assert element_marks(bytes(3 * itemsize), itemsize) is None


@pytest.mark.parametrize(
    ("indices", "told"),
    [
        ((), []),
        ((0,), ["0:1"]),
        ((19,), ["19:20"]),
        ((0, 1, 2, 5, 6, 9), ["0:3", "5:7", "9:10"]),
        (range(20), ["0:20"]),
        (range(0, 16, 2), [f"{at}:{at + 1}" for at in range(0, 16, 2)]),
        (range(0, 20, 2), [*(f"{at}:{at + 1}" for at in range(0, 16, 2)), "and 2 more"]),
    ],
)
def test_indices_are_told_as_a_handful_of_slices(indices: tuple[int, ...], told: list[str]) -> None:
    assert ranges(chosen(*indices, size=20)) == told


def test_a_row_counts_where_one_of_its_elements_does() -> None:
    assert rows_with(chosen(0, 7, 8, size=12), (4, 3)).tolist() == [True, False, True, False]
    assert rows_with(chosen(5, size=12), (3, 2, 2)).tolist() == [False, True, False]
    rows = chosen(1, size=4)
    assert rows_with(rows, (4, 3)) is rows
