"""What processes must know to tell the rounding of replicas that each computes by itself from drift: their values.

Digests of two processes say that a tensor differs, and not by how much. So in runs of several processes a few kilobytes
of each trained tensor are projected onto a few numbers when its optimizer first holds it, now and then at checks, and
at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from frostline.core.columns.replica import ReplicaSample
from frostline.core.facts import ReplicaSampled
from frostline.digest.projection import Projection, between, project, root_mean_square
from frostline.digest.sample import LARGEST, pieces
from frostline.observe.protocols import Hold, Unreadable
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked


@dataclass(slots=True)
class _Course:
    """Where a tensor was at first, and after steps each of which is at least twice the one before."""

    first: Projection
    later: dict[int, Projection] = field(default_factory=dict)

    def is_due(self, step: int) -> bool:
        return not self.later or step >= 2 * next(reversed(self.later))

    def halfway(self, steps: int) -> tuple[int, Projection]:
        """Where it was after the last step taken that is in the first half of the run."""
        return max(((0, self.first), *((step, each) for step, each in self.later.items() if 2 * step <= steps)))


class Replicas:
    """Samples the values of trained tensors of which every process holds all, where processes are to be compared.

    Args:
        tracked: what is under observation.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked
        self._courses: dict[Hashable, _Course] = {}

    def before_step(self, holds: Mapping[Hashable, Hold]) -> None:
        """A check begins: where is what the optimizer holds for the first time?"""
        for key in holds if self._tracked.settings.digests else ():
            watched = self._tracked.tensors.get(key)
            if key in self._courses or watched is None or not _is_replica(watched):
                continue
            if (first := _projection(watched)) is not None:
                self._courses[key] = _Course(first)

    def after_step(self, holds: Mapping[Hashable, Hold]) -> None:
        """A check ends: where did the step move them?"""
        step = self._tracked.clock.steps
        for key in holds:
            course = self._courses.get(key)
            if course is None or not course.is_due(step):
                continue
            if (now := _projection(self._tracked.tensors[key])) is not None:
                course.later[step] = now

    def close(self) -> None:
        """The run is over: tell where each is, and where it was halfway."""
        for key, course in self._courses.items():
            watched = self._tracked.tensors[key]
            content = _content(watched)
            if (last := project(content, watched.row.dtype)) is not None:
                step, earlier = course.halfway(self._tracked.clock.steps)
                size = root_mean_square(content, watched.row.dtype)
                sample = ReplicaSample(step, earlier, last, size, travelled=between(course.first, last))
                self._tracked.tell(ReplicaSampled(tensor=watched.row.id, sample=sample))


def _is_replica(watched: TensorState) -> bool:
    return watched.row.kind == "parameter" and watched.flag is not False and not watched.row.sharded


def _projection(watched: TensorState) -> Projection | None:
    return project(_content(watched), watched.row.dtype)


def _content(watched: TensorState) -> bytes:
    watched.bytes_read += min(watched.row.bytes, LARGEST)
    with contextlib.suppress(Unreadable):
        return pieces(watched.entry.part, watched.row.bytes)
    return b""
