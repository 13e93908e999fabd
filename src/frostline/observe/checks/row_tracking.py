"""Rows and elements that are to stay while the rest of their tensor is trained: by the user's word, or by a mask.

A mask shows in the gradient: autograd made it non-zero, and something in the script set it to zero before the step.
That alone tells it from the rows of an embedding that nobody used, whose gradient was zero to begin with.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from frostline.core.facts import RowsCompared
from frostline.core.ledger import RowsSeen, TensorRow
from frostline.core.names.patterns import matches, rows_of
from frostline.digest.rows import Chosen, Marks, element_marks, ranges, row_marks, rows_with
from frostline.digest.shift import describe
from frostline.observe.protocols import Hold, MaskedGradient, Unreadable
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked

COPIES = 3  # of a tensor's elements: at the first check, before the step, and the masks


@dataclass(slots=True, eq=False)
class Track:
    """One tensor whose rows or elements are compared one by one; ``chosen`` are those that are to stay."""

    watched: TensorState
    by_row: bool
    number: int
    seen: RowsSeen
    chosen: Chosen
    compared: RowsSeen | None = None
    origin: Marks | None = None
    before: Marks | None = None
    moved_in_step: Chosen | None = None
    passed: Chosen | None = None  # those whose gradient was let through at some check
    coming: Chosen | None = field(default=None)  # those to watch in the step under way

    @property
    def row(self) -> TensorRow:
        return self.watched.row

    def marks(self) -> Marks | None:
        """The tensor's present marks; None when it cannot be read, or has another size than at first."""
        try:
            buffer = self.watched.entry.read()
        except Unreadable:
            return None
        size = self.row.bytes // max(1, self.row.size)
        marks = row_marks(buffer, self.row.shape[0]) if self.by_row else element_marks(buffer, size)
        return marks if self.origin is None or marks is None or len(marks) == len(self.origin) else None


class Rows:
    """All tensors whose rows are compared.

    Args:
        tracked: what is under observation; its settings name the patterns and the memory for copies.
    """

    def __init__(self, tracked: Tracked) -> None:
        self.tracked = tracked
        settings = tracked.settings
        self._patterns = [
            (answer, pattern, *rows_of(pattern))
            for answer, patterns in (("frozen", settings.frozen), ("trained", settings.trained))
            for pattern in patterns
            if rows_of(pattern)[1] is not None
        ]
        self._expected: dict[tuple[str, Hashable], Track] = {}
        self._masked: dict[Hashable, Track] = {}
        self._spent = 0

    def before_step(self, *, by_hand: bool) -> None:
        """A check begins: take up tensors that patterns name and gradients that were masked."""
        self._take_up_expected()
        masked = {} if by_hand else self.tracked.probe.masked_gradients()
        for key, seen in masked.items():
            watched = self.tracked.tensors.get(key)
            if watched is not None and len(watched.row.shape) > 1:
                self._note_mask(key, watched, seen)
        for track in self._tracks():
            if track.seen.expected is not None or track.coming is not None:
                track.before = track.marks()
                track.origin = track.before if track.origin is None else track.origin
                self._compare(track, track.before)

    def after_step(self, key: Hashable, holds: dict[Hashable, Hold]) -> None:
        """The check ends: which of the chosen moved in this step?"""
        for track in self._tracks():
            if track.before is None:
                continue
            before, track.before = track.before, None
            after = track.marks()
            if after is None:
                continue
            moved = after != before
            if track.coming is not None:
                moved = moved & track.coming
                track.coming = None
            track.moved_in_step = moved if track.moved_in_step is None else track.moved_in_step | moved
            if (moved & track.chosen).any():
                self._note_step(track, key, holds.get(track.watched.entry.key), before, after, moved)
                if track.compared is not None:
                    self._tell(track)

    def close(self) -> None:
        """The end of the run: what has moved for good?"""
        for track in self._tracks():
            self._compare(track, track.marks())

    def _tracks(self) -> Iterator[Track]:
        yield from self._expected.values()
        yield from self._masked.values()

    # Rows that the user named

    def _take_up_expected(self) -> None:
        for answer, pattern, stem, rows in self._patterns:
            assert rows is not None
            for key, watched in self.tracked.tensors.items():
                row = watched.row
                if (pattern, key) in self._expected or not row.shape or not row.size or row.sharded:
                    continue
                if any(matches(stem, name) for name in (row.name, *row.aliases)):
                    chosen = np.zeros(row.shape[0], np.bool_)
                    chosen[rows] = True
                    seen = RowsSeen("row", int(chosen.sum()), 0, expected=answer, pattern=pattern)
                    number = next(self.tracked.journal.comparisons)
                    self._expected[pattern, key] = track = Track(watched, True, number, seen, chosen)
                    self._tell(track)

    # Rows whose gradient was taken away

    def _note_mask(self, key: Hashable, watched: TensorState, seen: MaskedGradient) -> None:
        track = self._masked.get(key)
        by_row = self._too_large(watched.row) if track is None else track.by_row
        made, left = (np.asarray(each, np.bool_).reshape(-1) for each in (seen.made, seen.left))
        if by_row:
            made, left = (rows_with(each, watched.row.shape) for each in (made, left))
        gone = made & ~left
        if track is None:
            number = next(self.tracked.journal.comparisons)
            track = self._masked[key] = Track(watched, by_row, number, RowsSeen("row", 0, 0), gone)
        elif track.chosen.size != gone.size:
            return
        track.chosen = track.chosen | gone
        if track.chosen.any():  # a mask may begin in the middle of a run; from then on it has to stay the same
            track.passed = left if track.passed is None else track.passed | left
        track.coming = gone if gone.any() and left.any() else None
        track.seen.checks += track.coming is not None
        track.seen.how = seen.how

    def _too_large(self, row: TensorRow) -> bool:
        """Whether the memory for copies does not suffice to tell elements apart; then rows have to do."""
        needed = COPIES * row.bytes
        if row.bytes > 8 * row.size or self._spent + needed > self.tracked.settings.keep_bytes:
            return True
        self._spent += needed
        return False

    def _note_step(
        self, track: Track, key: Hashable, hold: Hold | None, before: Marks, after: Marks, moved: Chosen
    ) -> None:
        seen, optimizer = track.seen, self.tracked.optimizers[key]
        if seen.first_step is None:
            seen.first_step = self.tracked.clock.steps
        if seen.place == "step":
            return
        seen.place, seen.optimizer = "step", optimizer.id
        if hold is not None:
            seen.lr, seen.weight_decay, seen.state = hold.lr, hold.weight_decay, hold.state
        if not track.by_row:
            shift = describe(before[moved], after[moved], track.row.dtype, (int(moved.sum()),))
            seen.ratio = shift.ratio

    def _compare(self, track: Track, now: Marks | None) -> None:
        """Bring what is told of the tensor up to date with its present marks."""
        seen = track.seen
        if now is None or track.origin is None:
            return
        moved = (now != track.origin) & track.chosen
        if seen.expected is None:
            moved &= track.moved_in_step if track.moved_in_step is not None else False
            steady = track.passed is not None and track.passed.any() and not (track.passed & track.chosen).any()
            told = track.chosen & steady
            moved &= steady
            by_row = track.by_row or _whole_rows(told, track.row.shape)
            seen.unit = "row" if by_row else "element"
            count = rows_with if by_row else lambda chosen, _: chosen
            seen.compared = int(count(told, track.row.shape).sum())
            seen.moved = int(count(moved, track.row.shape).sum())
        else:
            seen.moved = int(moved.sum())
        seen.ranges = ranges(rows_with(moved, track.row.shape))
        if seen.moved and seen.first_step is None:
            seen.first_step, seen.place = (self.tracked.clock.now + 1) // 2, "between"
        if seen.expected is not None or seen.moved or track.compared is not None:
            self._tell(track)

    def _tell(self, track: Track) -> None:
        """Tell what is known of a tensor's rows, where that is not what was told before."""
        if track.compared != track.seen:
            track.compared = replace(track.seen, ranges=list(track.seen.ranges))
            self.tracked.tell(RowsCompared(tensor=track.row.id, track=track.number, seen=track.compared))


def _whole_rows(chosen: Chosen, shape: tuple[int, ...]) -> bool:
    """Whether the chosen elements are rows, but for elements whose gradient happened to be zero anyhow."""
    rows = rows_with(chosen, shape)
    return bool(rows.any()) and not rows.all() and bool(chosen.reshape(shape[0], -1)[rows].mean() > 0.5)
