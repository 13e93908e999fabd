"""The end of a report: how the run ended, where it is stored, and which command says more."""

from __future__ import annotations

from frostline.core.record import Record
from frostline.core.run import DEFAULT_DATA
from frostline.core.verdict import worst
from frostline.report.form import Line, Prose, Section, Span, line
from frostline.report.views import run


def section(record: Record, stored: str | None, left_out: bool = False) -> Section:
    """The last lines of a report.

    Args:
        record: what was seen and judged.
        stored: the file that the run can be read from again; None where it was not stored.
        left_out: whether the report leaves evidence out, so that it has to say how it is seen.
    """
    said = [run.summed_up(record.run)]
    if stored is not None:
        said.append(_stored(stored, left_out))
    if left_out and (explained := worst(record.findings)):
        said.append(line("why it matters: ", Span(f"frostline explain {explained.code}", "command")))
    return Section(Span(""), tuple(map(Prose, said)), close=True)


def _stored(stored: str, left_out: bool) -> Line:
    report = "frostline report" if stored == DEFAULT_DATA.name else f"frostline report {stored}"
    said = line("stored in ", Span(stored, "name"), "; ", Span(f"{report} --html", "command"), " makes the page")
    return (*said, *line(", ", Span("--verbose", "command"), " shows all evidence")) if left_out else said
