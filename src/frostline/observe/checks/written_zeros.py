"""Single values of a weight that were set to zero between two phases of training, as pruning does, and their end.

The samples of weights are looked at where a phase begins. Where one has zeros that it had not before, all of the weight
is read, then and at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from frostline.core.facts import ZerosFilled
from frostline.digest.rows import Chosen, element_marks
from frostline.digest.sample import pieces
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked

PHASES = 16  # beginnings that are looked at
MANY = 0.1  # of the values: so many zeros do not come by themselves


@dataclass(slots=True)
class _Zeros:
    """So many values were zero after ``step``, because of ``act``, and still after ``held`` more steps."""

    step: int
    act: str
    count: int
    held: int = 0


class WrittenZeros:
    """Counts the zeros of trainable weights, and those that are left at the end.

    Args:
        tracked: what is under observation.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked
        self._sampled: dict[Hashable, float] = {}  # the share of zeros in the sample
        self._noted: dict[Hashable, _Zeros] = {}
        self._phases = 0

    def phase_begins(self) -> None:
        """Training begins, or ends, or goes on in another way: which weights have zeros that they had not before?"""
        self._phases += 1
        self._hold()
        for key, watched in self._tracked.tensors.items() if self._phases <= PHASES else ():
            row = watched.row
            if row.kind != "parameter" or not watched.flag or len(row.shape) < 2 or row.sharded or not row.size:
                continue
            with contextlib.suppress(Unreadable):
                zero = _zeros(pieces(watched.entry.part, row.bytes), row.bytes // row.size)
                before = self._sampled.get(key)
                self._sampled[key] = share = float(zero.mean()) if zero is not None else 1.0
                if before is not None and before < MANY <= share < 1:
                    self._note(watched, key)

    def _hold(self) -> None:
        """Zeros that are there since an earlier phase were kept through its steps."""
        for key, noted in self._noted.items() if self._phases <= PHASES else ():
            passed = self._tracked.clock.steps - noted.step
            if passed > noted.held and self._left(key, noted) == noted.count:
                noted.held = passed

    def _left(self, key: Hashable, noted: _Zeros) -> int:
        """How many values are zero now; as many as before where that cannot be told."""
        watched = self._tracked.tensors.get(key)
        if watched is not None:
            with contextlib.suppress(Unreadable):
                zero = _zeros(watched.entry.read(), watched.row.bytes // watched.row.size)
                return int(zero.sum()) if zero is not None else noted.count
        return noted.count

    def _note(self, watched: TensorState, key: Hashable) -> None:
        zero = _zeros(watched.entry.read(), watched.row.bytes // watched.row.size)
        if zero is not None:
            single = _outside_whole_lines(zero.reshape(watched.row.shape[0], -1))
            if single >= MANY * zero.size:
                self._noted[key] = _Zeros(self._tracked.clock.steps, "written", int(zero.sum()))

    def pruned(self, key: Hashable, count: int, step: int, held: int) -> None:
        """A library made this many zeros of a weight permanent after ``step``; a mask had ``held`` them for steps."""
        self._noted[key] = _Zeros(step, "pruned", count, held)

    def close(self) -> None:
        """The run is over: where have most of the zeros other values?"""
        for key, noted in self._noted.items():
            watched = self._tracked.tensors.get(key)
            if watched is None or watched.row.changed.verdict != "yes":
                continue
            left = self._left(key, noted)
            if 2 * left < noted.count:
                since, names = noted.step, (watched.row.name,)
                self._tracked.tell(
                    ZerosFilled(step=since, tensors=names, act=noted.act, zeros=noted.count, left=left, held=noted.held)
                )


def _zeros(buffer: object, itemsize: int) -> Chosen | None:
    """Which elements are zero, of either sign; None for elements that are no plain numbers."""
    marks = element_marks(buffer, itemsize)  # type: ignore[arg-type]
    if marks is None:
        return None
    magnitude = marks.dtype.type((1 << (8 * itemsize - 1)) - 1)  # all bits but the sign's
    return np.asarray((marks & magnitude) == 0, np.bool_)


def _outside_whole_lines(zero: Chosen) -> int:
    """How many zeros stand in rows and columns that have other values too: whole ones are new, or cut off."""
    return int((zero & ~zero.all(axis=1, keepdims=True) & ~zero.all(axis=0, keepdims=True)).sum())
