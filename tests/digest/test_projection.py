"""The distance of two projections is about that of the values, wherever they differ."""

import numpy as np
import pytest

from frostline.digest.projection import SUMS, between, project, root_mean_square

COUNT = 1536


@pytest.mark.parametrize("changed", [1, 10, COUNT])
@pytest.mark.parametrize("by", [1e-6, 1.0])
def test_a_difference_is_seen_however_it_is_spread(changed: int, by: float) -> None:
    draw = np.random.default_rng(changed)
    for _ in range(20):
        one = draw.standard_normal(COUNT)
        other = one.copy()
        other[draw.choice(COUNT, changed, replace=False)] += by
        seen = between(project(one.tobytes(), "float64") or (), project(other.tobytes(), "float64") or ())
        truly = root_mean_square((other - one).tobytes(), "float64")
        assert 0.03 < seen / truly < 3


@pytest.mark.parametrize(
    ("dtype", "stored"), [("float32", "<f4"), ("complex64", "<c8"), ("complex128", "<c16"), ("float16", "<f2")]
)
def test_equal_bits_are_at_one_place_in_every_type(dtype: str, stored: str) -> None:
    values = np.linspace(-1, 1, COUNT).astype(stored)
    sums = project(values.tobytes(), dtype)
    assert sums is not None
    assert len(sums) == SUMS
    assert between(sums, project(values.copy().tobytes(), dtype) or ()) == 0.0


def test_what_has_no_place() -> None:
    assert project(b"", "float32") is None
    assert project(bytes(8), "float8_e5m2") is None
    assert project(bytes(8), "int64") is None
    assert project(np.array([1.0, np.nan]).tobytes(), "float64") is None
