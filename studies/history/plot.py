"""A plot as SVG: for each version two bars, what summary() said would train and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LABEL, WIDTH, ROW, TOP = 230, 420, 22, 46
SAID, MOVED, WRONG, UNSAID = "#9db4c8", "#2b5d8a", "#c0392b", "#8a8a8a"


@dataclass(frozen=True)
class Bars:
    """One version: numbers said to train (None where nothing was said), numbers that moved."""

    version: str
    said: int | None
    moved: int


def svg(title: str, rows: Sequence[Bars], most: int) -> str:
    """The plot; a bar that shows other than was said is red.

    Args:
        title: of the plot.
        rows: one for each version, from above.
        most: the number that fills the width.
    """
    height = TOP + ROW * len(rows) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LABEL + WIDTH + 70} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="16" font-size="13">{escape(title)}</text>',
        f'<text x="8" y="34"><tspan fill="{SAID}">■</tspan> said to train by summary() '
        f'<tspan fill="{MOVED}">■</tspan> moved, as said <tspan fill="{WRONG}">■</tspan> moved, not as said '
        f'<tspan fill="{UNSAID}">■</tspan> moved, nothing said</text>',
    ]
    for index, row in enumerate(rows):
        y = TOP + index * ROW
        color = UNSAID if row.said is None else MOVED if row.said == row.moved else WRONG
        parts += [
            f'<text x="{LABEL - 6}" y="{y + 13}" text-anchor="end">{escape(row.version)}</text>',
            _bar(y, row.said or 0, most, SAID),
            _bar(y + 9, row.moved, most, color),
            f'<text x="{LABEL + WIDTH + 6}" y="{y + 13}">{row.moved:,}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(y: int, number: int, most: int, color: str) -> str:
    return f'<rect x="{LABEL}" y="{y}" width="{WIDTH * number / most:.1f}" height="8" fill="{color}"/>'
