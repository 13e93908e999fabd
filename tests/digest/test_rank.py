"""The rank of a move: low for what an adapter adds, full for anything else, none for rounding."""

import numpy as np
import pytest

from frostline.digest.rank import rank_of_move

RANDOM = np.random.default_rng(0)
OLD = RANDOM.normal(size=(24, 40)).astype("f4")


@pytest.mark.parametrize("rank", [1, 3, 24])
def test_the_rank_of_a_product_is_found_through_the_rounding_of_the_weight(rank):
    product = RANDOM.normal(size=(24, rank)) @ RANDOM.normal(size=(rank, 40)) / 50
    assert rank_of_move(OLD, (OLD + product).astype("f4"), "float32", (24, 40)) == rank


def test_rounding_and_other_types_have_no_rank():
    added = RANDOM.normal(size=(24, 40)).astype("f4")
    assert rank_of_move(OLD, OLD + added - added, "float32", (24, 40)) is None
    assert rank_of_move(OLD, np.full_like(OLD, np.nan), "float32", (24, 40)) is None
    assert rank_of_move(OLD.astype("i4"), OLD.astype("i4"), "int32", (24, 40)) is None


def test_one_reading_that_is_not_finite_is_enough_to_have_no_rank():
    product = np.outer(np.arange(24), np.arange(40)).astype("f4")
    for old, new in [(np.full_like(OLD, np.nan), OLD), (OLD, np.full_like(OLD, np.inf))]:
        assert rank_of_move(old, new, "float32", (24, 40)) is None
    assert rank_of_move(OLD.astype("c8"), (OLD + product).astype("c8"), "complex64", (24, 40)) is None


def test_what_the_larger_reading_was_rounded_by_is_no_move():
    small, large = np.float32([[1e-8, 0], [0, 1e-8]]), np.float32([[1, 0], [0, 1]])
    for old, new in [(small, large), (large, small)]:
        assert rank_of_move(old, new, "float32", (2, 2)) == 2
    nearly = np.float32([[1 + 40 * 2**-23, 0], [0, 1]])
    assert rank_of_move(large, nearly, "float32", (2, 2)) is None


def test_a_move_that_is_small_beside_one_of_the_readings_alone_has_no_rank():
    """The weight's own rounding decides, and the larger of two readings is rounded by more."""
    large, gone = np.float32([[2.0**20, 0], [0, 2.0**20]]), np.zeros((2, 2), "f4")
    assert rank_of_move(gone, large, "float32", (2, 2)) == rank_of_move(large, gone, "float32", (2, 2)) == 2
    lower = np.float32([[1, 0], [0, 2.0**-22]])  # beside the first its second move is as large as the rounding
    assert rank_of_move(np.zeros((2, 2), "f4"), lower, "float32", (2, 2)) == 2
    assert rank_of_move(np.zeros((2, 2), "f4"), np.float32([[1, 0], [0, 2.0**-24]]), "float32", (2, 2)) == 1
