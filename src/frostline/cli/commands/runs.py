"""``frostline runs``: lists the runs that can be read again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write_either
from frostline.errors import RecordError


@click.command(epilog=examples("frostline runs", "frostline runs --json", "frostline report 5f0c1a2b"))
@options.data
@options.as_json
@options.output
def runs(data: Path | None, as_json: bool, output: Path | None) -> None:
    """List the runs that were kept, the latest first: when each began, its command, its steps and its verdict.

    The record of the last run is .frostline.json; those of the runs before are in .frostline/. `frostline report RUN`
    and `frostline diff RUN RUN` take their names, or the ends of these.
    """
    from frostline.core.verdict import headline
    from frostline.report import columns, terminal
    from frostline.report.form import Column, Row, Section, Span, Table, View, line, shortened
    from frostline.run.files.history import kept
    from frostline.settings import DEFAULT_DATA, load

    found = list(kept(data or load().data or DEFAULT_DATA))
    if not found:
        raise RecordError("no run was kept here", "run a script: frostline run train.py")
    documents, rows = [], []
    for each in found:
        run = None if each.record is None else each.record.run
        said = "cannot be read" if each.record is None else headline(each.record)
        began, command, steps = (run.started, run.command, run.steps) if run is not None else ("", [], 0)
        documents.append(
            {
                "run": each.name,
                "path": str(each.path),
                "began": began,
                "command": command,
                "steps": steps,
                "verdict": said,
            }
        )
        cells = (
            Span(each.name, "name"),
            began.replace("T", " ")[:16],
            shortened(shlex.join(command), 60),
            f"{steps:,}",
            said,
        )
        rows.append(Row(tuple(line(cell) for cell in cells)))
    heads = (Column("run"), Column("began"), Column("command"), Column("steps", right=True), Column("verdict"))
    width = columns(sys.stdout if output is None else None, names=True)
    view = View((), (Section(Span(""), (Table(heads, tuple(rows)),)),))
    color = output is None and shows_color(sys.stdout)
    encoding = sys.stdout.encoding if output is None else "utf-8"
    write_either(lambda: terminal.render(view, width, color, encoding), lambda: documents, as_json, output)
