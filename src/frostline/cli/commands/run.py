"""``frostline run``: runs a script under observation and prints the report."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from frostline.cli import completers, options
from frostline.cli.group import examples
from frostline.cli.printing import PLAIN, Wanted, complain, shown, write_page, write_report
from frostline.core.verdict import FAIL_ON
from frostline.errors import FrostlineError, RecordError

if TYPE_CHECKING:
    from frostline.core.record import Record
    from frostline.run.process_observer import Outcome
    from frostline.settings import Settings

# What ``check`` takes as well. The report goes to stderr: standard output is the script's.
script_options = options.together(
    click.option("-m", "as_module", is_flag=True, help="SCRIPT is the name of a module, as in `python -m`."),
    click.option(
        "--data",
        type=options.FILE,
        metavar="FILE",
        help="Where the record goes (.frostline.json): a file, or a folder of runs.",
    ),
    click.option("--frozen", multiple=True, metavar="PATTERN", help="Tensors expected to stay frozen; repeatable."),
    click.option("--trained", multiple=True, metavar="PATTERN", help="Tensors expected to be trained; repeatable."),
    click.option(
        "--check-every",
        type=click.IntRange(min=1),
        metavar="N",
        help="Check at every N-th step in place of steps 1, 2, 4, 8, …",
    ),
)
output_options = options.together(
    click.option(
        "--tensorboard",
        type=options.FILE,
        metavar="DIR",
        help="Also write scalars per module into DIR, at each check.",
    ),
    click.option(
        "--track",
        type=click.Choice(("wandb", "mlflow")),
        multiple=True,
        help="Also tell a tracker the scalars, the findings and the page; repeatable.",
    ),
    options.report_output,
    click.option("--quiet", is_flag=True, help="Store the record and print no report."),
    click.option("--debug", is_flag=True, help="Show errors inside frostline with their tracebacks."),
    click.argument("script", metavar="SCRIPT", shell_complete=completers.files),
    click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...", shell_complete=completers.files),
)


@click.command(
    cls=options.PageCommand,
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "frostline run train.py --lr 0.1",
        "frostline run -m package.train --lr 0.1",
        "frostline run --frozen 'backbone.**' --fail-on error train.py",
        "frostline run --steps 100 --html train.py",
    ),
)
@script_options
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="End the script after N optimizer steps, with status 0."
)
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings if the script itself exits 0 (never)."
)
@output_options
def run(**given: Any) -> int:
    """Run SCRIPT unchanged and observe which weights it trains.

    Everything after SCRIPT belongs to the script. Its output, its exit status and its exceptions are its own; the
    report follows on stderr. Options win over frostline.toml, and that over [tool.frostline] in pyproject.toml.
    """
    return observe(**given)


def observe(
    script: str,
    arguments: tuple[str, ...],
    *,
    as_module: bool,
    wanted: Wanted,
    quiet: bool,
    frozen: tuple[str, ...],
    trained: tuple[str, ...],
    data: Path | None,
    tensorboard: Path | None,
    track: tuple[str, ...],
    **given: Any,
) -> int:
    """Run a script with the options of the command line, and print its report."""
    from frostline.run.runner import run
    from frostline.settings import DEFAULT_DATA, load

    settings = load().but(data=data, frozen=frozen or None, trained=trained or None, **given)
    settings = settings.but(tensorboard=tensorboard, track=track or None)
    settings = settings.but(data=settings.data or DEFAULT_DATA, progress=not quiet)
    stderr = sys.stderr  # the script may put another one in its place
    wanted, here = wanted.absolute(), Path.cwd()  # and go to another folder

    def tell(outcome: Outcome) -> int:
        return conclude(outcome, settings, stderr, report_to=None if quiet else stderr, wanted=wanted, here=here)

    return tell(run(script, arguments, settings, as_module=as_module, tell=tell))


def conclude(
    outcome: Outcome,
    settings: Settings,
    stderr: TextIO | None,
    *,
    report_to: TextIO | None,
    wanted: Wanted = PLAIN,
    here: Path | None = None,
) -> int:
    """Print what came of a run, and return the status to leave with: the script's own, unless findings may fail it.

    Args:
        outcome: of the run.
        settings: that it was observed with.
        stderr: where complaints go.
        report_to: where the report goes; None prints none.
        wanted: which report, and whether a page is made.
        here: the folder that the command was given in, from which the stored run is named.
    """
    from frostline.run.exit_status import status_of

    if outcome.is_child:
        return outcome.status
    problem = outcome.problem
    with contextlib.suppress(OSError, ValueError):  # a stream that is closed or full is the script's business
        tells = problem is None or isinstance(problem, RecordError)  # what cannot be stored can be printed
        if outcome.record is not None and tells and (report_to or wanted.output or wanted.html):
            stored = None if problem is not None or outcome.stored is None else shown(outcome.stored, here)
            problem = _printed(outcome.record, wanted, report_to, settings, stored) or problem
        if problem is not None and (report_to is not None or not outcome.status):
            complain(problem, stderr)
    status, unjudged = status_of(replace(outcome, problem=problem), settings)
    if unjudged is not None and unjudged is not problem:
        with contextlib.suppress(OSError, ValueError):
            complain(unjudged, stderr)
    return status


def _printed(
    record: Record, wanted: Wanted, paper: TextIO | None, settings: Settings, stored: str | None
) -> FrostlineError | None:
    """Print or write the report; whatever is wrong with it is returned, for the script's status is its own."""
    try:
        if paper is not None or wanted.output is not None:
            write_report(record, wanted, settings, stored, paper, quiet=paper is None)
        if wanted.html is not None:
            write_page(record, wanted.html, settings, wanted.opened, paper, quiet=paper is None)
    except FrostlineError as error:
        return error
    except Exception as error:
        return FrostlineError(f"the report could not be printed: {type(error).__name__}: {error}")
    return None
