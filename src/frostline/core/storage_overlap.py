"""Which tensors are one: grouping by storage range, nested and overlapping views included."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
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
    by_storage: dict[Hashable, list[tuple[int, int, int]]] = {}
    groups: list[list[int]] = []
    for index, (storage, start, stop) in enumerate(spans):
        if stop > start:
            by_storage.setdefault(storage, []).append((start, stop, index))
        else:
            groups.append([index])
    for covered in by_storage.values():
        covered.sort()
        furthest = -1
        for start, stop, index in covered:
            if start < furthest:
                groups[-1].append(index)
                furthest = max(furthest, stop)
            else:
                groups.append([index])
                furthest = stop
    for group in groups:
        if len(group) > 1:
            group.sort()
    groups.sort()
    return groups
