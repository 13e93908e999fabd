"""docs/benchmarks.md: one section for each measurement, between marks, replaced when it is taken again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.turns import HEAD, Line

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def section(name: str, about: str, facts: str, lines: Sequence[Line]) -> str:
    """The section of one measurement in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells() for line in lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f'{about.strip()}\n\n{table}\n\n`make bench ARGS="{name}"`; {facts}.'


def put(name: str, text: str) -> None:
    """Replace the section of the measurement ``name`` on the page; ValueError when the page has no place for it."""
    page = PAGE.read_text("utf-8")
    marks = rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)"
    if len(re.findall(marks, page, re.DOTALL)) != 1:
        raise ValueError(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(re.sub(marks, lambda found: f"{found[1]}{text}\n{found[2]}", page, flags=re.DOTALL), "utf-8")
