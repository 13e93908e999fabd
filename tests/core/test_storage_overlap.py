"""Grouping of spans against brute force."""

from hypothesis import given
from hypothesis import strategies as st

from frostline.core.storage_overlap import Span, overlapping

spans = st.lists(
    st.builds(
        lambda storage, start, length: Span(storage, start, start + length),
        st.integers(0, 2),
        st.integers(0, 40),
        st.integers(0, 20),
    ),
    max_size=12,
)


def touching(one: Span, other: Span) -> bool:
    return one.storage == other.storage and max(one.start, other.start) < min(one.stop, other.stop)


def by_brute_force(known: list[Span]) -> list[list[int]]:
    groups: list[set[int]] = [{index} for index in range(len(known))]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                if one is not other and any(touching(known[a], known[b]) for a in one for b in other):
                    one |= other
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    return sorted((sorted(group) for group in groups), key=lambda group: group[0])


@given(spans)
def test_the_sweep_agrees_with_comparing_every_pair(known):
    assert overlapping(known) == by_brute_force(known)


def test_a_small_view_after_a_small_view_still_belongs_to_the_large_one_around_both():
    assert overlapping([Span(0, 0, 100), Span(0, 10, 20), Span(0, 50, 60)]) == [[0, 1, 2]]


def test_neighbours_that_only_touch_are_apart():
    assert overlapping([Span(0, 0, 10), Span(0, 10, 20)]) == [[0], [1]]
