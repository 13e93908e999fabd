"""The one number k with target = k·direction in every element, up to rounding; or the certainty that there is none.

Each element allows an interval of k, and what all of them allow is the intersection. So a number is found as
exactly as the data permit, in types of any precision, and one element that disagrees rules it out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frostline.digest.floats import Reals

# The most that may stay open of what k does (its distance from the k that does nothing) for it to count as found.
_OPEN = 0.5
# An element that just touches the neutral k tells nothing; rounding here must not make it tell.
_CLEAR = 1e-6
# How unlikely the agreement must be by chance, in bits: two elements of a narrow type often agree on something.
_SURPRISE = 10.0


@dataclass(slots=True)
class Slope:
    """Every k in [low, high] explains all elements taken so far.

    ``neutral`` is the k that would mean "nothing happened". An element is telling if it rules that one out:
    ``smallest`` and ``largest`` are the magnitudes of direction among those, ``surprise`` the bits that their agreement
    is worth, and ``clearest`` those of the one that tells most, with which the others agree. ``scalar`` is the relative
    error that k itself may have, as the framework rounded it.
    """

    neutral: float
    scalar: float
    low: float = -math.inf
    high: float = math.inf
    smallest: float = math.inf
    largest: float = 0.0
    surprise: float = 0.0
    clearest: float = 0.0

    def take(self, target: Reals, direction: Reals, tolerance: Reals) -> bool:
        """Narrow by some more elements, all finite; False when no k is left."""
        still = direction == 0
        if (np.abs(target[still]) > tolerance[still]).any():
            return False
        if still.any():
            target, direction, tolerance = target[~still], direction[~still], tolerance[~still]
        if not direction.size:
            return True
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # directions near zero
            centre, reach = target / direction, tolerance / np.abs(direction)
            self.low = max(self.low, float((centre - reach).max()))
            self.high = min(self.high, float((centre + reach).min()))
            clearness = np.log2(np.abs(centre - self.neutral) / reach)
        self._weigh(np.abs(direction), clearness, clearness > _CLEAR)
        return self.low <= self.high

    def _weigh(self, magnitude: Reals, clearness: Reals, telling: NDArray[np.bool_]) -> None:
        if telling.any():
            self.smallest = min(self.smallest, float(magnitude[telling].min()))
            self.largest = max(self.largest, float(magnitude[telling].max()))
            self.surprise += float(clearness[telling].sum())
            self.clearest = max(self.clearest, float(clearness[telling].max()))

    @property
    def found(self) -> float | None:
        """The shortest decimal number among the k left; None unless enough telling elements agree on it."""
        middle = (self.low + self.high) / 2
        narrow = self.high - self.low <= _OPEN * abs(middle - self.neutral)
        if not (narrow and self.smallest < self.largest and self.surprise - self.clearest >= _SURPRISE):
            return None
        error = self.scalar * abs(middle)
        return shortest(self.low - error, self.high + error)


def fit(slope: Slope, terms: Iterable[tuple[Reals, Reals, Reals] | None]) -> Slope | None:
    """The slope narrowed by all terms (target, direction, tolerance); None as soon as one of them contradicts."""
    for term in terms:
        if term is None or not slope.take(*term):
            return None
    return slope


def shortest(low: float, high: float) -> float:
    """The number in [low, high] with the fewest decimal digits, near the middle.

    >>> shortest(0.98997, 0.99012), shortest(0.985, 0.99), shortest(-1e-50, 1e-50)
    (0.99, 0.99, 0.0)
    """
    if low <= 0 <= high:
        return 0.0
    middle = (low + high) / 2
    rounded = (float(f"{middle:.{digits}e}") for digits in range(17))
    return next((number for number in rounded if low <= number <= high), middle)
