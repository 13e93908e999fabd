"""Counts, sizes, names and lists as a report writes them."""

from __future__ import annotations

from collections.abc import Sequence

from frostline.report.form import Line, Span, shortened

NAME = 160


def joined(spans: Sequence[Span]) -> Line:
    """The spans with commas between them."""
    parts = [part for span in spans for part in (span, Span(", "))]
    return tuple(parts[:-1])


def evidence_name(key: str) -> str:
    """What a piece of evidence is called; the checks of one tensor are not those of the run.

    >>> evidence_name("first_step"), evidence_name("checks")
    ('first step', 'times read')
    """
    return "times read" if key == "checks" else shortened(key.replace("_", " "), 24)


def named(text: str) -> Span:
    """A name of the user's, never longer than a few lines."""
    return Span(shortened(text, NAME) or "''", "name")


def many(number: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> many(1, "step"), many(2, "step")
    ('1 step', '2 steps')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def in_bytes(count: int) -> str:
    """Bytes in the largest unit that leaves at least one.

    >>> in_bytes(999), in_bytes(2_500_000)
    ('999 bytes', '2.5 MB')
    """
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return many(count, "byte")
