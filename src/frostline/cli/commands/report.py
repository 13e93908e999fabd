"""``frostline report``: prints the report of a stored run, judged as the settings found here want it."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import Wanted, complain, shown, write, write_page, write_report
from frostline.core.record import Record
from frostline.core.verdict import exit_status
from frostline.errors import FrostlineError


@click.command(
    cls=options.PageCommand,
    epilog=examples(
        "frostline report",
        "frostline report run7.json --format markdown",
        "frostline report --html",
        "frostline report --html report.html --open",
        "frostline report --fail-on warning",
        'code -g "$(frostline report --open-at F102)"',
        "frostline report --anonymise --json -o record.json",
        "frostline report --write-baseline frostline-baseline.json",
    ),
)
@options.data
@options.report_output
@options.fail_on
@click.option("--baseline", type=options.FILE, metavar="FILE", help="Count apart the findings that FILE knows.")
@click.option(
    "--write-baseline",
    type=options.FILE,
    metavar="FILE",
    help="Write this run's findings to FILE as known, and print no report.",
)
@click.option(
    "--anonymise",
    is_flag=True,
    help="Replace names, paths, host and command, for a report that strangers may see.",
)
@click.option("--open-at", metavar="CODE", help="Print FILE:LINE of a finding, such as F102, for an editor to open.")
def report(
    data: Path | None,
    wanted: Wanted,
    fail_on: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    anonymise: bool,
    open_at: str | None,
) -> int:
    """Print the report of the last run, or of the one called DATA.

    DATA is a file or folder, or the name of a run that `frostline runs` lists, or the end of one.

    Settings files that are found from here judge the run again: what they ignore, other severities, the baseline.
    """
    from frostline.core.storage.baseline import load as load_baseline
    from frostline.core.storage.baseline import save as save_baseline
    from frostline.judging import judged_by
    from frostline.run.files.history import named
    from frostline.run.files.stored_run import load
    from frostline.settings import DEFAULT_DATA, found

    settings, files = found()
    usual = settings.data or DEFAULT_DATA
    stored = usual if data is None else named(data, usual)
    record = load(stored, settings.but(baseline=baseline).policy())
    if write_baseline is not None:
        count = save_baseline(record, write_baseline)
        click.echo(f"frostline: {write_baseline} now knows {count} finding{'' if count == 1 else 's'}", err=True)
        return 0
    if baseline is not None:
        load_baseline(baseline)  # named here, it has to be there
    if anonymise:
        record = _anonymised(record)
    elif files or baseline is not None:
        record = judged_by(record, settings.but(baseline=baseline).policy())
    if open_at is not None:
        write(_place_of(record, open_at))
        return 0
    if wanted.html is not None:
        write_page(record, wanted.html, settings, wanted.opened)
    else:
        write_report(record, wanted, settings, None if anonymise else shown(stored))
    return exit_status(record.verdict, fail_on or settings.fail_on or "error")


def _anonymised(record: Record) -> Record:
    """The record with names replaced; findings that it does not show are told, for it was judged anew."""
    from frostline.judging import anonymised

    replaced = anonymised(record)
    lost = {each.code for each in record.findings} - {each.code for each in replaced.findings}
    if lost:
        hint = "a comparison of processes shows in their own records alone: anonymise those of .frostline/latest"
        complain(FrostlineError(f"the anonymous record does not show {', '.join(sorted(lost))}", hint))
    return replaced


def _place_of(record: Record, code: str) -> str:
    """File and line of the first finding of this code or name that has one, as editors take them.

    Raises:
        FrostlineError: there is none.
    """
    asked = [each for each in record.findings if code.lower() in (each.code.lower(), each.rule)]
    for origin in (origin for finding in asked for origin in finding.origins):
        return f"{origin.file}:{origin.line}"
    if asked:
        raise FrostlineError(f"{code} has no line: what did it was not seen", "frostline report shows all that was")
    known = ", ".join(dict.fromkeys(each.code for each in record.findings))
    raise FrostlineError(f"this run has no finding {code}", f"it has {known}" if known else "it has none at all")
