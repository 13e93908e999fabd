"""Readings: the bits of tensors now, compared with those of the last reading, and told as compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from frostline.core.facts import Compared
from frostline.digest.blocks import Digest
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.tracked import Tracked


class Readings:
    """Reads tensors and tells which were compared, in one fact for all that were read together.

    Args:
        tracked: what the tensors are of.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked
        self._compared: list[int] = []  # which one fact names together

    def made(self, tensors: Iterable[TensorState]) -> dict[Hashable, Digest]:
        """The present digests of those tensors whose accelerator makes them, in one batch."""
        return self._tracked.probe.digests([watched.entry for watched in tensors])

    def look(self, watched: TensorState, made: dict[Hashable, Digest], copying: bool = False) -> Reading | None:
        """What a look at one tensor finds: None where it has the bits of its last reading."""
        clock, digest = self._tracked.clock, made.get(watched.entry.key)
        reads = watched.reads
        reading = watched.look(clock.now, whole=watched.frozen, copying=copying, made=digest, last=clock.closing)
        if watched.reads > reads:
            self._compared.append(watched.row.id)
        self._tracked.notice.read(watched.row.bytes_here)
        return reading

    def tell_compared(self) -> None:
        """Tell which tensors were compared since the last time."""
        if self._compared:
            self._tracked.tell(Compared(step=self._tracked.clock.now // 2, tensors=tuple(self._compared)))
            self._compared.clear()
