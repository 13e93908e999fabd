"""The one intermediate form of every report: sections of prose, facts and tables, made of spans with roles.

A span says what a text *is* (a changed count, an error's code); a renderer decides how that looks. Nothing
that could steer a terminal survives in a span: whatever is not printable is spelled out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from frostline.core.record import FindingOrigin

Role = Literal[
    "plain", "title", "label", "name", "dim", "changed", "still", "trainable", "frozen", "mixed",
    "unknown", "error", "warning", "note", "good", "hint", "command",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)


def visible(text: str) -> str:
    r"""``text`` with everything that is not printable spelled out (escape codes, newlines, direction marks).

    >>> visible("a\x1b[31m")
    'a\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def cited(origin: FindingOrigin) -> str:
    """A line of the script in one line of text: what it did, where it stands, what it says.

    >>> cited(FindingOrigin("frozen", "train.py", 18, "model.body.requires_grad_(False)"))
    'frozen by train.py:18  model.body.requires_grad_(False)'
    """
    by = f"{origin.role} {'by ' if origin.until is None else ''}{origin.text}"
    inside = f" (in {origin.inside})" if origin.inside else ""
    return visible(f"{by}{f'  {origin.source}' if origin.source and origin.until is None else ''}{inside}")


def finite(value: Any) -> Any:
    """``value`` with null for NaN and infinities, at any depth: JSON has neither, and its readers refuse them.

    >>> finite({"lr": [0.1, float("nan")]})
    {'lr': [0.1, None]}
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: finite(each) for key, each in value.items()}
        case list() | tuple():
            return [finite(each) for each in value]
        case _:
            return value


def worded(value: str | int | float | bool) -> str:
    """One value of evidence as a person writes it.

    >>> worded(True), worded(25450), worded(1 / 3), worded("none")
    ('yes', '25,450', '0.333333', 'none')
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.6g}"
        case _:
            return value


def shortened(text: str, limit: int) -> str:
    """``text`` with its middle left out when it has more than ``limit`` characters.

    >>> shortened("model.backbone.weight", 11)
    'model…eight'
    """
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line and what it is."""

    text: str
    role: Role = "plain"

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible(self.text))


Line = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """A line of spans; bare strings are plain."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Prose:
    """One paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be shown as they stand."""

    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(visible(text) for text in self.lines))


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled lines, under a headline where there is one.

    ``heights`` are the most lines that the headline and then each row may take, but for the last: where rows have
    heights, all of it may take ``height`` lines. What is longer is cut.
    """

    rows: tuple[tuple[Span, Line], ...]
    head: Line = ()
    heights: tuple[int, ...] = ()
    height: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """The head of one column of a table; where all do not fit, those with a higher ``spare`` are left out first."""

    head: str
    right: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; ``depth`` indents its first cell."""

    cells: tuple[Line, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; ``tree`` says that the depths are those of a tree."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    tree: bool = False


Block = Prose | Code | Facts | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A title, or none, and what stands under it; ``close`` says that no empty lines part its blocks."""

    title: Span
    blocks: tuple[Block, ...]
    close: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A whole report; ``title`` is the one line that begins it, ``last`` one that ends it."""

    title: Line
    sections: tuple[Section, ...]
    last: Line = ()
