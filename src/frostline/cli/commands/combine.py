"""``frostline combine``: puts the records of several processes together."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import Wanted, shown, write_page, write_report
from frostline.core.verdict import exit_status


@click.command(
    cls=options.PageCommand,
    epilog=examples(
        "frostline combine .frostline/latest",
        "frostline combine run.0.json run.1.json --data run.json",
    ),
)
@click.argument("data", type=options.FILE, nargs=-1, required=True, metavar="DATA...")
@click.option("--data", "combined", type=options.FILE, metavar="FILE", help="Where the result goes.")
@options.report_output
@options.fail_on
def combine(data: tuple[Path, ...], combined: Path | None, wanted: Wanted, fail_on: str | None) -> int:
    """Put the records of several processes together (into .frostline.json), and print the report.

    DATA are records of processes of one run, or the folder of a run.
    """
    from frostline.core.storage import store
    from frostline.run.files.places import require_writable
    from frostline.run.files.stored_run import named
    from frostline.settings import DEFAULT_DATA, found

    settings, _ = found()
    target = combined or settings.data or DEFAULT_DATA
    record = named([path for path in data if path != target], settings.policy())
    require_writable(target)
    store.save(record, target)
    if wanted.html is not None:
        write_page(record, wanted.html, settings, wanted.opened)
    else:
        write_report(record, wanted, settings, shown(target))
    return exit_status(record.verdict, fail_on or settings.fail_on or "error")
