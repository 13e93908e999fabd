"""Where a replica is, by a sample of its values, for processes that end with other bits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplicaSample:
    """A sample of a tensor's values at the end of the run and earlier: after ``step``, 0 being the first reading.

    ``earlier`` and ``last`` are random projections: the distance between those of two processes is about how far their
    values are apart, as a root mean square. ``size`` is that of the values, ``travelled`` how far they went from their
    first reading.
    """

    step: int
    earlier: tuple[float, ...]
    last: tuple[float, ...]
    size: float
    travelled: float
