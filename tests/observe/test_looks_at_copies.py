"""Copies that a script keeps: whether they move, how far they are, and what of them never changed."""

from __future__ import annotations

import numpy as np
import pytest

from frostline.observe.moves.kept_copies import KeptCopy, Pair


def bits(*values: float) -> bytes:
    return np.array(values, "f4").tobytes()


def pair(piece: bytes, source: bytes) -> Pair:
    return Pair("copy.w", "net.w", "float32", "float32", piece, source)


def many(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(64).astype("f4")


def test_a_copy_that_goes_towards_its_source_follows_it_at_the_rate_of_the_last_such_move() -> None:
    copy, source, later = many(0), many(1), many(2)
    kept = pair(copy.tobytes(), source.tobytes())
    nearer = (copy + np.float32(0.1) * (source - copy)).astype("f4")
    assert kept.look(nearer.tobytes(), source.tobytes())
    assert kept.rate == pytest.approx(0.1, rel=0.01)
    assert kept.look(later.tobytes(), source.tobytes())  # whatever that was, it shows no other rate
    assert kept.rate == pytest.approx(0.1, rel=0.01)
    assert (kept.moved, kept.passed) == (2, 0)


def test_only_looks_at_which_the_source_alone_moved_are_passed() -> None:
    kept = pair(bits(1, 2), bits(1, 2))
    assert not kept.look(bits(1, 2), bits(1, 2))
    assert (kept.moved, kept.passed) == (0, 0)
    assert not kept.look(bits(1, 2), bits(3, 2))
    assert kept.look(bits(2, 2), bits(4, 2))
    assert (kept.moved, kept.passed) == (1, 1)


@pytest.mark.parametrize(
    ("copy", "source", "apart"),
    [(bits(3, 4), bits(3, 4), 0.0), (bits(6, 8), bits(3, 4), 1.0), (bits(1, 1), bits(0, 0), 0.0)],
)
def test_how_far_a_copy_is_from_its_source_is_told_relative_to_that(copy: bytes, source: bytes, apart: float) -> None:
    assert pair(copy, source).apart == apart


def test_values_that_are_far_away_are_counted_and_those_of_them_that_never_changed() -> None:
    kept = pair(bits(1, 2, 3, 4), bits(1, 2, 3, 4))
    kept.look(bits(1, 2.5, 3, 4), bits(1, 9, 9, 4))
    assert kept.far() == (2, 1)


def test_a_copy_says_since_when_nothing_of_it_moved_and_which_of_its_tensors_never_did() -> None:
    moving, still = pair(bits(1, 2), bits(1, 2)), pair(bits(5, 6), bits(5, 6))
    still.name = "copy.b"
    copy = KeptCopy("ema", "Shadow", "net", [moving, still], began=1)
    assert not copy.look(2, [(bits(1, 2), bits(3, 4)), (bits(5, 6), bits(7, 8))], 0)
    assert copy.told(2).still == ()  # one look at which only the source moved is chance
    assert copy.look(4, [(bits(2, 3), bits(4, 5)), (bits(5, 6), bits(9, 8))], 1)
    assert not copy.look(8, [(bits(2, 3), bits(4, 5)), (bits(5, 6), bits(9, 9))], 2)
    told = copy.told(8)
    assert (told.moved_at, told.written, told.began, told.step) == (4, 3, 1, 8)
    assert told.still == ("copy.b",)
    assert told.called_average
    assert not KeptCopy("best", "dict", "net", [moving], began=1).told(8).called_average
