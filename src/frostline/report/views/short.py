"""The report that a run ends with: the verdict, each finding in a few lines, a small table, and where there is more."""

from __future__ import annotations

from frostline.core.record import Record
from frostline.core.verdict import by_severity
from frostline.report.folding import Names
from frostline.report.form import Prose, Section, Span, View
from frostline.report.tables import short_table
from frostline.report.views import closing, findings, full, run

_REASONS = 3


def build(record: Record, stored: str | None = None) -> View:
    """The view of ``record``: at most twelve lines for a run in which nothing was found, at most eight for a finding.

    Args:
        record: what was seen and judged.
        stored: the file that the run can be read from again.
    """
    names = Names(record.tensors)
    reported = by_severity(finding for finding in record.findings if finding.ignored is None)
    missing = tuple(map(Prose, run.missing(record.run)))
    sections = (
        Section(Span(""), missing, close=True) if missing else None,
        Section(Span(""), tuple(findings.in_short(reported, names))) if reported else None,
        *full.doubts(record, names, _REASONS).values(),
        Section(Span(""), (short_table(record),)) if record.tensors else None,
        closing.section(record, stored, left_out=True),
    )
    return View(title=full.verdict(record), sections=tuple(each for each in sections if each is not None))
