"""The one number behind a change, and the certainty that there is none."""

import numpy as np
import pytest

from frostline.digest.slope import Slope, fit, shortest


def slope(target: list[float], direction: list[float], tolerance: float = 1e-9, neutral: float = 0.0) -> Slope | None:
    terms = np.array(target), np.array(direction), np.full(len(target), tolerance)
    return fit(Slope(neutral, 0.0), [terms])


def test_elements_that_agree_have_a_number() -> None:
    found = slope([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    assert found is not None
    assert found.found == 0.5


def test_one_that_disagrees_rules_it_out() -> None:
    assert slope([1.0, 2.0, 3.1], [2.0, 4.0, 6.0]) is None


def test_where_the_direction_is_nothing_the_target_is_nothing_too() -> None:
    assert slope([1.0, 0.0, 2.0], [2.0, 0.0, 4.0]) is not None
    assert slope([1.0, 0.5, 2.0], [2.0, 0.0, 4.0]) is None
    assert slope([0.0, 1e-9], [0.0, 0.0]) is not None


def test_no_directions_at_all_leave_everything_open() -> None:
    still = slope([0.0], [0.0])
    assert still is not None
    assert (still.low, still.high, still.found) == (-np.inf, np.inf, None)


def test_terms_are_added_one_after_the_other_until_one_contradicts() -> None:
    first, second = (np.array([each]) for each in (1.0, 3.0))
    tolerance = np.array([1e-9])
    assert fit(Slope(0.0, 0.0), [(first, first, tolerance), (second, second, tolerance)]) is not None
    assert fit(Slope(0.0, 0.0), [(first, first, tolerance), (second, first, tolerance)]) is None
    assert fit(Slope(0.0, 0.0), [(first, first, tolerance), None]) is None


def test_the_same_magnitude_twice_tells_no_number() -> None:
    found = slope([1.0, -1.0], [2.0, -2.0])
    assert found is not None
    assert found.found is None


def test_agreement_that_may_be_chance_tells_none() -> None:
    loose = slope([1.0, 2.0], [2.0, 4.0], tolerance=0.4)
    assert loose is not None
    assert loose.found is None


@pytest.mark.parametrize(
    ("low", "high", "number"),
    [
        (-1.0, 1.0, 0.0),
        (0.0, 1.0, 0.0),
        (-1.0, 0.0, 0.0),
        (0.26, 0.34, 0.3),
        (0.5, 0.5, 0.5),
        (0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2),
        (-0.00123449, -0.00123441, -0.0012344),
    ],
)
def test_the_shortest_decimal_in_an_interval(low: float, high: float, number: float) -> None:
    assert shortest(low, high) == pytest.approx(number, rel=1e-4)
    assert low <= shortest(low, high) <= high
