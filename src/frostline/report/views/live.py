"""A run under way as a view: how far it is, its counts, and what has been found so far, a line or two each."""

from __future__ import annotations

import shlex

from frostline.core.record import Record
from frostline.core.verdict import by_severity, headline
from frostline.report.form import Block, Facts, Line, Prose, Section, Span, View, line, shortened
from frostline.report.views.full import parts

_TEXT = 240
_OPTIMIZERS = 4


def build(record: Record, state: Line, age: float) -> View:
    """The view of ``record`` while its run goes on.

    Args:
        record: as it was last read.
        state: whether the run goes on.
        age: seconds since the last check.
    """
    sections = [_run(record, state, age)]
    if record.tensors:
        sections.append(parts(record)["parameters"])
    sections.append(_findings(record))
    so_far = "" if record.run.complete else "so far: "
    return View(
        title=line(Span("frostline watch", "title"), f" {shortened(shlex.join(record.run.command), _TEXT)}"),
        sections=tuple(sections),
        last=line(Span(so_far + headline(record), "title")),
    )


def row(record: Record, state: Line) -> str:
    """The same as one line, for a log file."""
    totals = record.totals
    return (
        f"{''.join(span.text for span in state)}; {totals.changed:,} of {totals.parameters:,} parameters changed; "
        f"{headline(record)}"
    )


def _run(record: Record, state: Line, age: float) -> Section:
    count = f"{record.run.checks:,} check{'' if record.run.checks == 1 else 's'}"
    checks = f"{count}, the last at step {record.run.steps:,}, {_ago(age)} ago"
    rows = [("state", state), ("checked", line(checks))]
    for optimizer in record.optimizers[:_OPTIMIZERS]:
        skipped = f", {optimizer.steps_skipped:,} skipped" if optimizer.steps_skipped else ""
        steps = f": {optimizer.steps_executed:,} step{'' if optimizer.steps_executed == 1 else 's'}{skipped}"
        rows.append(("optimizer", line(Span(shortened(optimizer.id, _TEXT), "name"), steps)))
    if len(record.optimizers) > _OPTIMIZERS:
        rows.append(("", line(Span(f"and {len(record.optimizers) - _OPTIMIZERS:,} more", "dim"))))
    facts = Facts(tuple((Span(label, "label"), text) for label, text in rows))
    return Section(Span("Run", "title"), (facts,))


def _findings(record: Record) -> Section:
    counted = by_severity(finding for finding in record.findings if finding.ignored is None)
    rows = tuple(
        (Span(f"{one.severity} {one.code}", one.severity), line(shortened(one.message, _TEXT))) for one in counted
    )
    found: Block = Facts(rows) if rows else Prose(line(Span("none", "dim")))
    return Section(Span("Findings", "title"), (found,))


def _ago(seconds: float) -> str:
    """How long ago, as a person says it.

    >>> _ago(3.2), _ago(200), _ago(9000)
    ('3 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
