"""Whether replicas that ended with other bits differ by rounding: how far apart their values are, by samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frostline.core.columns.replica import ReplicaSample

FEW = 32.0  # units in the last place, as a root mean square over the values of a tensor
_SOON, _GROWTH = 16.0, 4.0  # units that a short run may come to, and how many times those of half the run


@dataclass(frozen=True, slots=True)
class Precision:
    """What rounding comes to in numbers of a type: ``unit`` is the last place of 1, ``few`` how many of them.

    ``share`` is the most that it comes to beside the way that training moved the tensor. Of float16 and bfloat16 a unit
    is so large that a step often moves a value by one or by none: sums in another order were at most 4.9 units and
    0.18 of the way apart, processes with data of their own at least 20 units and 0.33 in the tensor that is furthest.
    """

    unit: float
    few: float = FEW
    share: float = 0.01


SINGLE, DOUBLE = Precision(2.0**-23), Precision(2.0**-52)
_PRECISIONS = {"float32": SINGLE, "complex64": SINGLE, "float64": DOUBLE, "complex128": DOUBLE}
_PRECISIONS |= {"bfloat16": Precision(2.0**-7, few=8.0, share=0.2), "float16": Precision(2.0**-10, few=8.0, share=0.2)}


def last_place(dtype: str) -> float:
    """The last place of 1 in a type; of one that is not known, that of float32.

    >>> last_place("bfloat16")
    0.0078125
    """
    return _PRECISIONS.get(dtype, SINGLE).unit


@dataclass(frozen=True, slots=True)
class Apart:
    """How far two replicas are apart at the end, and were ``earlier``, after ``step``: in units in the last place.

    A unit is that of a number as large as the tensor's values are (their root mean square). ``share`` is the distance
    at the end beside the way that training moved the one that moved less.
    """

    units: float = 0.0
    earlier: float = 0.0
    step: int = 0
    share: float = 0.0
    precision: Precision = SINGLE

    def rounding(self) -> str | None:
        """What shows that no more than rounding is between them, as it is printed; None where it may be drift.

        >>> Apart(units=0.5, earlier=0.4, step=4, share=1e-6).rounding()
        'their values are 0.5 units in the last place apart, 0.4 after step 4, and moved over 100 times as far'
        >>> Apart(units=20, earlier=0.4, step=4, share=1e-6).rounding(), Apart(units=2, share=0.5).rounding()
        (None, None)
        """
        is_few = self.units <= min(self.precision.few, _SOON + _GROWTH * self.earlier)
        if not (is_few and self.share <= self.precision.share):
            return None
        before = f", {self.earlier:.2g} after step {self.step:,}" if self.step else ""
        units = f"{self.units:.2g} units in the last place"
        return f"their values are {units} apart{before}, and moved over {1 / self.precision.share:.0f} times as far"


NOWHERE = Apart()


def distance(one: ReplicaSample | None, other: ReplicaSample | None, dtype: str) -> Apart | None:
    """How far the tensors of two processes are apart; None where that is not known of the same steps."""
    if one is None or other is None or one.step != other.step or dtype not in _PRECISIONS:
        return None
    precision = _PRECISIONS[dtype]
    unit, travelled = precision.unit * max(one.size, other.size), min(one.travelled, other.travelled)
    if not unit or not travelled:
        return None
    end, earlier = math.dist(one.last, other.last), math.dist(one.earlier, other.earlier)
    return Apart(end / unit, earlier / unit, one.step, end / travelled, precision)


def furthest(one: Apart | None, other: Apart | None) -> Apart | None:
    """The two together, each of their numbers the larger one; None where one of them is not known."""
    if one is None or other is None:
        return None
    return Apart(
        max(one.units, other.units),
        max(one.earlier, other.earlier),
        max(one.step, other.step),
        max(one.share, other.share),
        other.precision,
    )
