"""Floating-point types as bit layouts: values, units in the last place and the order of their bit patterns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger[Any]]  # unsigned integers holding the bits of a type
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Float:
    """A binary floating-point type: its bits, those of the exponent and of the fraction; ``parts`` is 2 for complex.

    Types up to 16 bits are read through a table of all their codes, wider ones as numpy's own.
    """

    width: int
    exponent: int
    fraction: int
    infinite: bool = True
    parts: int = 1

    @property
    def smallest(self) -> float:
        """The smallest number above zero."""
        return math.ldexp(1.0, 2 - (1 << self.exponent - 1) - self.fraction)

    @property
    def below_one(self) -> float:
        """The distance from one to the number below it."""
        return math.ldexp(1.0, -self.fraction - 1)

    def values(self, codes: Codes) -> Reals:
        """The numbers that the codes stand for; float64 holds each of them exactly."""
        if self.width <= 16:
            return _tables(self)[0][codes]
        with np.errstate(invalid="ignore"):  # a signalling NaN
            return np.asarray(codes.view(f"<f{self.width // 8}"), np.float64)

    def ulps(self, codes: Codes) -> Reals:
        """The distance from each number to the next one away from zero; NaN where it is not finite."""
        if self.width <= 16:
            return _tables(self)[1][codes]
        even = codes & ~codes.dtype.type(1)  # of the same binade, and never the last number, whose next is none
        with np.errstate(invalid="ignore"):  # the spacing of an infinity
            return np.asarray(np.spacing(np.abs(even.view(f"<f{self.width // 8}"))), np.float64)

    def order(self, codes: Codes) -> NDArray[np.int64]:
        """Integers that count the representable numbers from zero, so that neighbours differ by one."""
        signed: NDArray[np.int64] = np.asarray(codes.view(f"<i{self.width // 8}"), np.int64)
        magnitude: NDArray[np.int64] = signed & (2 ** (self.width - 1) - 1)
        return np.where(signed < 0, -magnitude, magnitude)

    def lowest(self, codes: Codes) -> NDArray[np.bool_]:
        """Where a number is the lowest of its binade, so that its neighbour towards zero is half an ulp away."""
        exponent = codes >> self.fraction & (2**self.exponent - 1)
        lowest: NDArray[np.bool_] = (codes & (2**self.fraction - 1) == 0) & (exponent > 1)
        return lowest


FLOATS = {
    "float64": Float(64, 11, 52),
    "float32": Float(32, 8, 23),
    "float16": Float(16, 5, 10),
    "bfloat16": Float(16, 8, 7),
    "float8_e5m2": Float(8, 5, 2),
    "float8_e4m3fn": Float(8, 4, 3, infinite=False),
    "complex64": Float(32, 8, 23, parts=2),
    "complex128": Float(64, 11, 52, parts=2),
}


def all_finite(content: bytes, dtype: str) -> bool:
    """Whether no value is NaN or infinite; those of a type that is not in ``FLOATS`` are none.

    >>> all_finite(np.float32([1, np.nan]).tobytes(), "float32"), all_finite(b"12345678", "int64")
    (False, True)
    """
    layout = FLOATS.get(dtype)
    if layout is None:
        return True
    codes = np.frombuffer(content, f"<u{layout.width // 8}")
    return bool(np.isfinite(layout.values(codes)).all())


@lru_cache
def _tables(layout: Float) -> tuple[Reals, Reals]:
    """Value and ulp of every code of a narrow type."""
    codes = np.arange(2**layout.width)
    exponent = codes >> layout.fraction & (2**layout.exponent - 1)
    fraction = codes & (2**layout.fraction - 1)
    bias = 2 ** (layout.exponent - 1) - 1
    ulps = np.ldexp(1.0, np.maximum(exponent, 1) - bias - layout.fraction)
    values = ulps * (fraction + np.where(exponent > 0, 2**layout.fraction, 0))
    special = exponent == 2**layout.exponent - 1
    if layout.infinite:
        values[special] = np.where(fraction[special] == 0, np.inf, np.nan)
    else:
        values[special & (fraction == 2**layout.fraction - 1)] = np.nan
    ulps[~np.isfinite(values)] = np.nan
    return np.where(codes >> (layout.width - 1), -values, values), ulps
