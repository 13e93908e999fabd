"""Whether what was seen to move goes on moving: a sample at each check, and all of it once a step leaves that alone.

A trainable tensor is settled by its first move, and read no more. Here a few pieces of it are read around every step
of its optimizer that is a check. Where the step moved none of them, the whole is digested, and compared at later checks
and at the end until it moves again. So a healthy tensor costs a few kilobytes a check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from frostline.core.columns.standstill import Standstill
from frostline.core.facts import CameBack, PutBack, StoodStill
from frostline.core.ledger import Gradient
from frostline.digest.blocks import Digest, blocks, first_difference
from frostline.digest.floats import all_finite
from frostline.digest.sample import LARGEST, sample, sample_whole
from frostline.observe.holdings import Holdings
from frostline.observe.protocols import Hold, Unreadable
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked

SAMPLES_KEPT = 64


@dataclass(slots=True)
class Course:
    """How a tensor goes on: the sample before the step under way, and its bits since it was seen to stand still."""

    moved: int
    sample: int | None = None
    whole: Digest | None = None
    since: int = 0
    gradient: Gradient = "unknown"
    told: bool = False
    start: int | None = None  # the sample at the start of every check so far, where that is one and the same
    starts: int = 0
    seen: dict[int, int] = field(default_factory=dict)  # samples after steps that moved it and at saves, with the step

    def note_start(self) -> None:
        """A check begins with this sample."""
        same = self.sample is not None and (self.starts == 0 or self.sample == self.start)
        self.start, self.starts = (self.sample if same else None), self.starts + 1


class GoingOn:
    """Follows the trainable tensors that were seen to move.

    Args:
        tracked: what is under observation.
        holdings: notes how large the updates can be that move nothing.
    """

    def __init__(self, tracked: Tracked, holdings: Holdings) -> None:
        self._tracked = tracked
        self._holdings = holdings
        self._courses: dict[Hashable, Course] = {}

    def before_step(self, holds: Mapping[Hashable, Hold]) -> None:
        """A check begins: what does the step find of the tensors that it holds?"""
        for watched, course, hold in self._followed(holds):
            if course.whole is None:
                watched.bytes_read += 2 * min(watched.row.bytes, LARGEST)  # before and after
                course.sample = _sample(watched)
                course.note_start()
            elif not hold.inside:
                course.gradient = watched.entry.gradient()

    def after_step(self, key: Hashable, holds: Mapping[Hashable, Hold]) -> None:
        """A check ends: did the step move them?"""
        step, still = self._tracked.clock.steps, []
        followed = list(self._followed(holds))
        made = self._made([watched for watched, course, _ in followed if course.whole is not None])
        for watched, course, hold in followed:
            before, course.sample = course.sample, None
            if course.whole is not None and self._is_whole(watched, course, made):
                still.append((watched, course))
            elif course.whole is not None:
                self._goes_on(watched, course)
            elif before is not None and (after := _sample(watched)) == before:
                self._stops(watched, course, "unknown" if hold.inside else watched.entry.gradient())
            elif before is not None and after is not None:
                course.moved = course.seen[after] = step
                if len(course.seen) > SAMPLES_KEPT:
                    del course.seen[next(iter(course.seen))]
            elif not course.seen and (first := _sample(watched)) is not None:
                course.seen[first] = step  # the step that settled it
            if course.whole is not None and course.gradient == "nonzero":  # how large can the update have been?
                self._holdings.note_stillness(key, self._tracked.optimizers[key], watched)
        self._tell(still)

    def remember(self, keys: Iterable[Hashable]) -> None:
        """The present bits of these tensors go into a file, from which they may be put back later."""
        for key in keys:
            course, watched = self._courses.get(key), self._tracked.tensors[key]
            if course is not None and course.whole is None:
                now = _sample(watched)
                if now is not None:
                    course.seen.setdefault(now, self._tracked.clock.steps)

    def close(self) -> None:
        """The run is over: which of those that stood still have the same bits to the end, and which earlier ones?"""
        waiting = [
            (watched, course)
            for watched in self._tracked.order
            if (course := self._courses.get(watched.entry.key)) is not None
            and course.whole is not None
            and watched.is_moved_trainable
        ]
        made = self._made([watched for watched, _ in waiting])
        still = []
        for watched, course in waiting:
            if self._is_whole(watched, course, made):
                still.append((watched, course))
            else:
                self._goes_on(watched, course)
        self._tell(still)
        self._tell_back()
        self._tell_put_back()

    def _tell_back(self) -> None:
        """Tell which tensors end with bits that they had before, and had not after a later step."""
        back: dict[int, list[int]] = {}
        models: dict[str, list[TensorState]] = {}
        for key, course in self._courses.items():
            watched = self._tracked.tensors[key]
            if watched.is_moved_trainable and course.whole is None:
                models.setdefault(watched.row.model, []).append(watched)
                step = course.seen.get(_sample(watched) or 0, course.moved)
                if step < course.moved:
                    back.setdefault(step, []).append(watched.row.id)
        for followed in models.values():
            smallest = min(followed, key=attrgetter("row.bytes"))  # most runs need to read no more than this one
            if smallest.has_first_bits():
                back.setdefault(0, []).extend(each.row.id for each in followed if each.has_first_bits())
        for followed in models.values():
            self._add_late(followed, back)
        for step, tensors in back.items():
            self._tracked.tell(CameBack(tensors=tuple(tensors), step=step))

    @staticmethod
    def _add_late(followed: list[TensorState], back: dict[int, list[int]]) -> None:
        """Those that first moved after the step to which the others went back, and have their first bits again."""
        ids = {each.row.id for each in followed}
        steps = [step for step, tensors in back.items() if step and ids.intersection(tensors)]
        late = [each for each in followed if len(steps) == 1 and (each.row.changed.first_step or 0) > steps[0]]
        for each in late:
            if each.row.id not in back[steps[0]] and each.has_first_bits():
                back[steps[0]].append(each.row.id)

    def _tell_put_back(self) -> None:
        """Tell of those that began every check with their first bits, and end with them, though steps moved them."""
        back: dict[int, list[int]] = {}
        for key, course in self._courses.items():
            watched = self._tracked.tensors[key]
            now = _sample(watched) if course.start is not None else None
            if now is not None and now == course.start and watched.is_moved_trainable and watched.has_first_bits():
                back.setdefault(course.starts, []).append(watched.row.id)
        for checks, tensors in back.items():
            self._tracked.tell(PutBack(tensors=tuple(tensors), put_back=checks))

    def _followed(self, holds: Mapping[Hashable, Hold]) -> Iterator[tuple[TensorState, Course, Hold]]:
        """The trainable tensors that a step holds and that were seen to move."""
        for key, hold in holds.items():
            watched = self._tracked.tensors.get(key)
            if watched is None or not hold.listed:
                continue
            if watched.is_moved_trainable:
                moved = watched.row.changed.last_step or 0
                yield watched, self._courses.setdefault(key, Course(moved)), hold
            else:
                self._courses.pop(key, None)

    def _stops(self, watched: TensorState, course: Course, gradient: Gradient) -> None:
        """The step left the sample alone: from here on the whole is compared."""
        with contextlib.suppress(Unreadable):
            made = self._made([watched]).get(watched.entry.key)
            course.whole, course.since = made or blocks(watched.entry.read()), self._tracked.clock.steps
            course.gradient = gradient
            self._read(watched)

    def _goes_on(self, watched: TensorState, course: Course) -> None:
        course.whole, course.moved = None, self._tracked.clock.steps
        if course.told:
            course.told = False
            self._tracked.tell(StoodStill(tensors=(watched.row.id,), still=None))

    def _is_whole(self, watched: TensorState, course: Course, made: Mapping[Hashable, Digest]) -> bool:
        """Whether the tensor has the bits that it had when it was first seen to stand still."""
        self._read(watched)
        if (now := made.get(watched.entry.key)) is not None:
            return now == course.whole
        try:
            return course.whole is not None and not first_difference(course.whole, watched.entry.read())
        except Unreadable:
            return False

    def _made(self, tensors: list[TensorState]) -> dict[Hashable, Digest]:
        return self._tracked.probe.digests([watched.entry for watched in tensors])

    def _read(self, watched: TensorState) -> None:
        watched.bytes_read += watched.row.bytes
        self._tracked.notice.read(watched.row.bytes)

    def _tell(self, still: list[tuple[TensorState, Course]]) -> None:
        """Tell of those that stood still, together where what is to be told is the same."""
        same: dict[tuple[int, int, Gradient, bool], list[int]] = {}
        for watched, course in still:
            course.told = True
            key = (course.moved, course.since, course.gradient, _is_finite(watched))
            same.setdefault(key, []).append(watched.row.id)
        for (moved, since, gradient, finite), tensors in same.items():
            standstill = Standstill(moved, since, self._tracked.clock.steps, gradient, finite)
            self._tracked.tell(StoodStill(tensors=tuple(tensors), still=standstill))


def _is_finite(watched: TensorState) -> bool:
    """Whether no value at the start of the tensor is NaN or infinite, as far as it can be read."""
    with contextlib.suppress(Unreadable):
        return all_finite(watched.entry.part(0, min(watched.row.bytes_here, LARGEST)), watched.row.dtype)
    return True


def _sample(watched: TensorState) -> int | None:
    """The sample of a tensor; None where it cannot be read now."""
    row = watched.row
    try:
        if row.bytes <= LARGEST and not row.sharded:
            return sample_whole(watched.entry.read())
        return sample(watched.entry.part, row.bytes)
    except Unreadable:
        return None
