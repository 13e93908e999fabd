"""Copies compared with their source right after a write, when no step has moved either of them since."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable

from frostline.core.facts import CopyCompared
from frostline.digest.blocks import Digest, blocks
from frostline.observe.protocols import LiveTensor, Unreadable
from frostline.observe.tracked import Tracked


def compare_copies(tracked: Tracked, keys: Iterable[Hashable]) -> None:
    """Tell how often each of these tensors, which were just written to, had the very bits of the one that it follows.

    Args:
        tracked: what is under observation.
        keys: of the tensors; those that follow none are left alone.
    """
    by_name = {watched.row.name: watched for watched in tracked.tensors.values()}
    pairs = [
        (watched, source)
        for key in keys
        if (watched := tracked.tensors.get(key)) is not None and watched.row.changed.followed is not None
        if (source := by_name.get(watched.row.changed.followed)) is not None
    ]
    made = tracked.probe.digests([each.entry for pair in pairs for each in pair])
    counts: dict[tuple[int, int], list[int]] = {}
    for watched, source in pairs:
        with contextlib.suppress(Unreadable):
            equal = _digest(watched.entry, made) == _digest(source.entry, made)
            had, looks = watched.row.changed.copies or (0, 0)
            counts.setdefault((had + equal, looks + 1), []).append(watched.row.id)
            watched.bytes_read += watched.row.bytes_here
            source.bytes_read += source.row.bytes_here
    for copies, numbers in counts.items():
        tracked.tell(CopyCompared(tensors=tuple(numbers), copies=copies))


def _digest(entry: LiveTensor, made: dict[Hashable, Digest]) -> Digest:
    return made.get(entry.key) or blocks(entry.read())
