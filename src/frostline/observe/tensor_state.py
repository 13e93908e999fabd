"""The observer's own notes on one tensor: the last digest, when it was taken, and whether more reading is needed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from frostline.core.facts import (
    BaselineTaken,
    Fact,
    SwapBegan,
    SwapUndone,
    Unread,
)
from frostline.core.ledger import Shift, TensorRow
from frostline.digest.blocks import Digest, blocks, differing, first_difference, moved
from frostline.digest.shift import describe
from frostline.observe.protocols import LiveTensor, NotNow, Unreadable


@dataclass(slots=True)
class Reading:
    """What one look at a tensor found: nothing (None), or which blocks differ from the last check and the old copy."""

    blocks_moved: int
    before: bytes | None
    after: bytes | None


@dataclass(slots=True)
class TensorState:
    """One tensor under observation.

    Times are half-steps: 2·n is just before global step n, 2·n + 1 just after it. ``keep`` asks for a copy of the
    bytes at every look, so that the shape of the next move can be told.
    """

    entry: LiveTensor
    flag: bool | None
    tell: Callable[[Fact], None]
    digest: Digest | None = None
    read_at: int = 0
    froze_at: int = 0
    flag_since: int = 0
    settled: bool = False
    keep: bool = False
    copy: bytes | None = None
    pursuit: int = 0
    reads: int = 0
    bytes_read: int = 0
    first: Digest | None = None
    swapped: tuple[int, Digest | None] | None = None
    row: TensorRow = field(init=False)

    def __post_init__(self) -> None:
        self.row = self.entry.row

    @property
    def frozen(self) -> bool:
        """Declared frozen now: its flag is off, or it is a buffer of a module that is frozen as a whole."""
        if self.row.kind == "buffer":
            return self.row.owner.frozen_subtree is not None
        return self.flag is False

    def frozen_over(self, start: int) -> bool:
        """Whether the tensor was declared frozen without a break since the half-step ``start``."""
        return self.frozen and self.froze_at <= start

    @property
    def moved_in_forward(self) -> bool:
        """Whether a forward pass was seen to move the tensor."""
        return any(move.place == "forward" for move in self.row.changed.movements)

    @property
    def is_moved_trainable(self) -> bool:
        """Whether it is a trainable parameter that was seen to move and can be read."""
        readable = self.row.changed.verdict == "yes" and self.digest is not None
        return readable and self.row.kind == "parameter" and self.flag is True and self.row.size > 0

    def has_first_bits(self) -> bool:
        """Whether it has the bits of its first reading now; it is read as far as that takes."""
        self.bytes_read += self.row.bytes
        with contextlib.suppress(Unreadable):
            return self.first is not None and not first_difference(self.first, self.entry.read())
        return False

    def rebase(self, now: int, made: Digest | None = None) -> None:
        """Take the present bits as the baseline; their digest may have been ``made`` on an accelerator.

        What cannot be read for the time being has no baseline until it is looked at again.
        """
        former, self.digest = self.digest, None
        try:
            digest = made or blocks(self.entry.read())
        except NotNow:
            if former is not None:
                self.tell(BaselineTaken(tensor=self.row.id, blocks=None))
            return
        except Unreadable as reason:
            self.lose(str(reason))
            return
        self.digest, self.first = digest, self.first or digest
        self.bytes_read += self.row.bytes_here
        if former is None or len(former) != len(digest):
            self.tell(BaselineTaken(tensor=self.row.id, blocks=len(digest)))
        self.read_at = now
        self.take_copy()

    def restart(self, now: int) -> None:
        """Another tensor goes by the tensor's name: its bits are the baseline; what was seen of the last one stays."""
        self.settled = False
        self.rebase(now)

    def look(
        self,
        now: int,
        *,
        whole: bool,
        copying: bool = False,
        made: Digest | None = None,
        last: bool = False,
    ) -> Reading | None:
        """Compare the present bits with the last check's; the new bits become the baseline.

        ``whole`` reads everything and counts blocks; without it reading stops at the first block that differs, and
        the baseline is renewed only when there is one. ``copying`` asks for the new bytes in any case. Where the
        present digest was ``made`` on an accelerator, bytes come to the host for a copy only. What cannot be
        read for the time being is looked at another time, unless this is the ``last`` look; what can be read no more
        but was just before, with no step in between, needs no other look.
        """
        if self.digest is None:
            if not self.settled:
                self.lose("it had no value before the run was over") if last else self.rebase(now, made)
            return None
        copying = copying or self.keep or self.copy is not None
        try:
            buffer: Any = self.entry.read() if made is None or (copying and made != self.digest) else None
        except Unreadable as reason:
            if self.read_at < now and (last or not isinstance(reason, NotNow)):
                self.lose(str(reason))
            return None
        self.reads += 1
        self.bytes_read += self.row.bytes_here
        self.read_at = now
        if made is not None:
            blocks_moved, self.digest = moved(self.digest, made), made
        elif whole or first_difference(self.digest, buffer):
            blocks_moved, self.digest = differing(self.digest, buffer)
        else:
            return None
        if not blocks_moved:
            return None
        before, after = self.copy, bytes(buffer) if copying else None
        self.copy = after if self.keep else None
        return Reading(len(blocks_moved), before, after)

    def put_back(self, now: int, before: Digest | None) -> bool:
        """Whether a move undoes another of the same half-step: weights put in for an evaluation, and taken out again.

        Then neither is to be written, and what was written of the first one is taken back. ``before`` is the digest of
        the look before this one.
        """
        if self.swapped is None or self.swapped[0] != now:
            self.swapped = now, before
            self.tell(SwapBegan(tensor=self.row.id))
            return False
        if self.digest != self.swapped[1]:
            return False
        self.swapped = None
        self.tell(SwapUndone(tensor=self.row.id))
        return True

    def take_copy(self) -> None:
        """Keep the present bytes for the next look when ``keep`` asks for it; drop an older copy otherwise."""
        self.copy = None
        if self.keep and self.digest is not None:
            with contextlib.suppress(Unreadable):
                self.copy = bytes(self.entry.read())

    def lose(self, reason: str) -> None:
        """The tensor can no longer be read: its column becomes unknown, with the reason."""
        self.digest = None
        self.settled = True
        self.tell(Unread(tensor=self.row.id, reason=reason))

    def count_flag_steps(self, steps: int) -> tuple[bool | None, int]:
        """The present flag, and for how many of ``steps`` it was held since this was last asked."""
        spent, self.flag_since = max(0, steps - self.flag_since), steps
        return self.flag, spent

    def shift_of(self, reading: Reading) -> Shift | None:
        """The shape of a move, when a copy was at hand."""
        if reading.before is None or reading.after is None or len(reading.before) != len(reading.after):
            return None
        return self.compare(reading.before, reading.after)

    def compare(self, one: bytes, other: bytes) -> Shift:
        """How two readings of the tensor, or of another like it, differ; of a shard, only its numbers count."""
        size = self.row.bytes // max(1, self.row.size)
        shape = self.row.shape if len(other) == self.row.bytes else (len(other) // max(1, size),)
        return describe(one, other, self.row.dtype, shape)
