"""Growth and shrinkage: elements that are large beside the largest move tell decay from a step by a gradient."""

import numpy as np
import pytest

from frostline.digest import shift
from frostline.digest.shift import ENOUGH_SHRUNK, LARGE, describe

STILL = (0.5, 0.5)
LARGEST_MOVE = (0.5, -0.5)  # of one: what is LARGE or more in size is large beside it
SHRUNK = (-LARGE, -LARGE + 0.25)
GROWN = (LARGE, LARGE + 0.25)
LARGE_AND_STILL = (LARGE, LARGE)
SMALL_AND_GROWN = (0.25, 0.75)
SMALL_AND_SHRUNK = (LARGE - 0.25, LARGE - 0.5)


@pytest.mark.parametrize("chunk", [1 << 16, 7])
@pytest.mark.parametrize(
    ("moves", "grown", "shrunk"),
    [
        ([STILL] * 20, None, None),
        ([SHRUNK] * ENOUGH_SHRUNK, 0, True),
        ([SHRUNK] * (ENOUGH_SHRUNK - 1), 0, None),
        ([SHRUNK] * (ENOUGH_SHRUNK - 1) + [LARGE_AND_STILL, *[SMALL_AND_SHRUNK] * 20], 0, None),
        ([SHRUNK] * ENOUGH_SHRUNK + [SMALL_AND_GROWN, SMALL_AND_GROWN, STILL], 2, True),
        ([SHRUNK] * ENOUGH_SHRUNK + [GROWN, SMALL_AND_GROWN], 2, False),
        ([GROWN], 1, False),
        ([LARGE_AND_STILL] * 20, 0, None),
    ],
)
def test_large_elements_decide(
    moves: list[tuple[float, float]],
    grown: int | None,
    shrunk: bool | None,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shift, "CHUNK", chunk)
    pairs = moves if set(moves) == {STILL} else [LARGEST_MOVE, *moves]
    old, new = np.array(pairs, "f4").T.copy()
    told = describe(old, new, "float32", old.shape)
    assert (told.grown, told.shrunk) == (grown, shrunk)


def test_the_largest_move_is_looked_for_in_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift, "CHUNK", 7)
    old, new = np.array([SHRUNK] * ENOUGH_SHRUNK + [STILL] * 7 + [LARGEST_MOVE, (3.0, -3.0)], "f4").T.copy()
    assert describe(old, new, "float32", old.shape).shrunk is None  # beside a move of six nothing here is large


@pytest.mark.parametrize("end", [np.inf, np.nan])
def test_a_move_without_bound_tells_nothing(end: float) -> None:
    old, new = np.array([SHRUNK] * 20 + [(1.0, end)], "f4").T.copy()
    told = describe(old, new, "float32", old.shape)
    assert (told.grown, told.shrunk) == (None, None)


def test_other_types_have_no_sizes() -> None:
    told = describe(np.int32([1, 2]), np.int32([2, 2]), "int32", (2,))
    assert (told.grown, told.shrunk) == (None, None)
