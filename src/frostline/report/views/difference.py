"""The difference between two runs as a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frostline.core.record import Finding
from frostline.core.run_diff import Cell, Difference
from frostline.report.form import Block, Column, Prose, Row, Section, Span, Table, View, line

SHOWN = 200


def build(difference: Difference, old: str, new: str) -> View:
    """The view of ``difference`` between the runs stored as ``old`` and ``new``."""
    sections = [
        _section("Findings that are new", _findings(difference.new_findings)),
        _section("Findings that are gone", _findings(difference.gone_findings)),
        _section("Columns that say something else", _cells(difference.cells)),
        _section("Tensors that are new", _names(difference.added)),
        _section("Tensors that are gone", _names(difference.removed)),
    ]
    return View(
        title=line(Span("frostline", "title"), f": from {old} to {new}"),
        sections=tuple(section for section in sections if section),
        last=line(Span(_sentence(difference), "title")),
    )


def _section(title: str, blocks: Sequence[Block]) -> Section | None:
    return Section(Span(title, "title"), tuple(blocks)) if blocks else None


def _findings(findings: Iterable[Finding]) -> list[Block]:
    return [
        Prose(line(Span(finding.severity, finding.severity), f": {finding.code} {finding.rule}: {finding.message}"))
        for finding in findings
    ]


def _cells(cells: Sequence[Cell]) -> list[Block]:
    if not cells:
        return []
    rows = [_row(Span(cell.name, "name"), cell.column, cell.old, cell.new) for cell in cells[:SHOWN]]
    columns = (Column("tensor"), Column("column"), Column("before"), Column("after"))
    return [Table(columns, tuple(rows)), *_rest(len(cells))]


def _names(names: Sequence[str]) -> list[Block]:
    if not names:
        return []
    return [Table((Column("tensor"),), tuple(_row(Span(name, "name")) for name in names[:SHOWN])), *_rest(len(names))]


def _row(*cells: str | Span) -> Row:
    return Row(tuple(line(cell) for cell in cells))


def _rest(count: int) -> list[Block]:
    return [Prose(line(Span(f"and {count - SHOWN:,} more", "dim")))] if count > SHOWN else []


def _sentence(difference: Difference) -> str:
    if not difference.exit_status:
        return "the two runs say the same"
    parts = [
        f"{len(difference.cells):,} columns",
        f"{len(difference.added):,} tensors added and {len(difference.removed):,} removed",
        f"{len(difference.new_findings):,} new findings and {len(difference.gone_findings):,} gone",
    ]
    return "different: " + ", ".join(parts)
