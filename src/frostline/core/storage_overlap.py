"""Which tensors are one: grouping by storage range, nested and overlapping views included."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes [start, stop) of a storage that a named tensor covers; an empty span overlaps nothing."""

    storage: Hashable
    start: int
    stop: int


def overlapping(spans: Sequence[Span]) -> list[list[int]]:
    """Groups of indices whose spans touch the same bytes, directly or through others, in order of first member.

    A sweep over the spans of each storage, sorted by start, carrying the furthest stop seen so far: comparing
    only with the previous span would part a small view from the large one around it.

    >>> overlapping([Span(0, 0, 100), Span(0, 10, 20), Span(0, 50, 60), Span(1, 0, 5)])
    [[0, 1, 2], [3]]
    """
    by_storage: dict[Hashable, list[int]] = {}
    groups: list[list[int]] = []
    for index, span in enumerate(spans):
        if span.stop > span.start:
            by_storage.setdefault(span.storage, []).append(index)
        else:
            groups.append([index])
    for indices in by_storage.values():
        indices.sort(key=lambda index: (spans[index].start, spans[index].stop))
        furthest = -1
        for index in indices:
            if spans[index].start < furthest:
                groups[-1].append(index)
            else:
                groups.append([index])
            furthest = max(furthest, spans[index].stop)
    return sorted((sorted(group) for group in groups), key=lambda group: group[0])
