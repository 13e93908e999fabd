"""The command line: it parses and prints, and leaves all work to the modules it calls."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from frostline import completion
from frostline.command_group import Commands, examples, usage_error
from frostline.core.verdict import FAIL_ON, exit_status
from frostline.errors import FrostlineError, RecordError, UnknownName
from frostline.version import __version__

if TYPE_CHECKING:
    from frostline.core.record import Record
    from frostline.run.process_observer import Outcome
    from frostline.settings import Settings

CANNOT = 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status; errors are two lines on stderr."""
    try:
        status = cli.main(args=arguments, prog_name="frostline", standalone_mode=False)
    except FrostlineError as error:
        status = _complain(error)
    except click.ClickException as error:
        status = _complain(usage_error(error))
    except click.Abort:
        status = 130
    except BrokenPipeError:  # the reader of stdout has left: `frostline report | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = CANNOT
    except Exception:  # an error of frostline's own; 1 would read as findings
        traceback.print_exc()
        status = CANNOT
    sys.exit(status)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "frostline demo", "frostline run train.py --epochs 3", "frostline report", "frostline explain F101"
    ),
)
@click.version_option(__version__, prog_name="frostline", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tell which weights a training run really trained."""
    if context.invoked_subcommand is None:
        _write(context.get_help(), sys.stdout)


@cli.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "frostline run train.py --lr 0.1",
        "frostline run -m package.train --lr 0.1",
        "frostline run --frozen 'backbone.**' --fail-on error train.py",
    ),
)
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is the name of a module, as in `python -m`.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the record goes (.frostline.json); under several processes each adds its rank.",
)
@click.option("--frozen", multiple=True, metavar="PATTERN", help="Tensors expected to stay frozen; repeatable.")
@click.option("--trained", multiple=True, metavar="PATTERN", help="Tensors expected to be trained; repeatable.")
@click.option(
    "--check-every",
    type=click.IntRange(min=1),
    metavar="N",
    help="Check at every N-th step in place of steps 1, 2, 4, 8, …",
)
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings if the script itself exits 0 (never)."
)
@click.option(
    "--tensorboard",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write scalars per module into DIR, at each check.",
)
@click.option("--quiet", is_flag=True, help="Store the record and print no report.")
@click.option("--debug", is_flag=True, help="Show errors inside frostline with their tracebacks.")
@click.argument("script", metavar="SCRIPT", shell_complete=completion.files)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...", shell_complete=completion.files)
def run(
    as_module: bool,
    data: Path | None,
    frozen: tuple[str, ...],
    trained: tuple[str, ...],
    check_every: int | None,
    fail_on: str | None,
    tensorboard: Path | None,
    quiet: bool,
    debug: bool,
    script: str,
    arguments: tuple[str, ...],
) -> int:
    """Run SCRIPT unchanged and observe which weights it trains.

    Everything after SCRIPT belongs to the script. Its output, its exit status and its exceptions are its own; the
    report follows on stderr. Options win over frostline.toml, and that over [tool.frostline] in pyproject.toml.
    """
    from frostline.run.runner import run as observe
    from frostline.settings import DEFAULT_DATA, load

    settings = load().but(
        data=data, frozen=frozen or None, trained=trained or None, check_every=check_every, fail_on=fail_on, debug=debug
    )
    settings = settings.but(data=settings.data or DEFAULT_DATA, progress=not quiet, tensorboard=tensorboard)
    stderr = sys.stderr  # the script may put another one in its place
    outcome = observe(script, arguments, settings, as_module=as_module)
    return _conclude(outcome, settings, None if quiet else stderr, stderr)


@cli.command(epilog=examples("frostline demo", "frostline demo --backend torch", "frostline demo --first"))
@click.option(
    "--backend",
    type=click.Choice(["jax", "torch", "tensorflow"]),
    help="The backend of Keras; by default the first of these that is installed.",
)
@click.option("--first", is_flag=True, help="Only the variant: freeze the first of the two models.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="Keep the record in FILE.")
def demo(backend: str | None, first: bool, data: Path | None) -> int:
    """Freeze a model inside a model, train, and see who was right: the flag or the summary.

    First the article's experiment (the second model frozen), then the variant it did not try (the first model frozen).
    The script is an ordinary Keras script that knows nothing of frostline.
    """
    from frostline.diagnosis import demo_backend
    from frostline.run.runner import run as observe
    from frostline.settings import Settings

    chosen = ["--backend", demo_backend(backend)]
    article = Path(__file__).parent / "demo" / "article.py"
    settings = Settings(data=data)
    outcome = observe(str(article), [*chosen, *(["--first"] if first else [])], settings)
    status = _conclude(outcome, settings, sys.stdout, sys.stderr)
    if first or status:
        return status
    click.echo("\nThe variant that the article did not try: the first of the two models is frozen.\n")
    sys.stdout.flush()
    # Keras chooses its backend once per process and numbers its layers through it: the variant gets its own.
    return subprocess.call([sys.executable, "-m", "frostline", "demo", *chosen, "--first"])


@cli.command(
    epilog=examples(
        "frostline report",
        "frostline report run7.json --format markdown",
        "frostline report --format html --output report.html",
        "frostline report --fail-on warning",
        "frostline report --write-baseline frostline-baseline.json",
    )
)
@click.argument("data", type=click.Path(path_type=Path), required=False, metavar="[DATA]")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="FORMAT",
    help="text, json, markdown, html, sarif or junit.",
    shell_complete=completion.formats,
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE in place of stdout.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings (error).")
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Count apart the findings that FILE knows."
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write this run's findings to FILE as known, and print no report.",
)
def report(
    data: Path | None,
    form: str,
    output: Path | None,
    fail_on: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
) -> int:
    """Print the report of the run stored in DATA (.frostline.json).

    Settings files that are found from here judge the run again: what they ignore, other severities, the baseline.
    """
    from frostline.core.baseline import load as load_baseline
    from frostline.core.baseline import save as save_baseline
    from frostline.core.store import write_atomically
    from frostline.judging import judged_by, load
    from frostline.settings import DEFAULT_DATA, found

    settings, files = found()
    record = load(data or settings.data or DEFAULT_DATA)
    if write_baseline is not None:
        count = save_baseline(record, write_baseline)
        click.echo(f"frostline: {write_baseline} now knows {count} finding{'' if count == 1 else 's'}", err=True)
        return 0
    if baseline is not None:
        load_baseline(baseline)  # named here, it has to be there
    if files or baseline is not None:
        record = judged_by(record, settings.but(baseline=baseline).policy())
    text = _rendered(record, form, sys.stdout if output is None else None, settings.pages)
    if output is None:
        _write(text, sys.stdout)
    else:
        write_atomically(text.encode(), output, "--output")
    return exit_status(record.verdict, fail_on or settings.fail_on or "error")


@cli.command(
    epilog=examples("frostline combine .frostline.*.json", "frostline combine run.0.json run.1.json --data run.json")
)
@click.argument("data", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DATA...")
@click.option("--data", "combined", type=click.Path(path_type=Path), metavar="FILE", help="Where the result goes.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="FORMAT",
    help="Of the report printed.",
    shell_complete=completion.formats,
)
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings (error).")
def combine(data: tuple[Path, ...], combined: Path | None, form: str, fail_on: str | None) -> int:
    """Put the records of several processes together (into .frostline.json), and print the report."""
    from frostline.core import store
    from frostline.judging import load
    from frostline.run.combine import combine
    from frostline.run.places import require_writable
    from frostline.settings import DEFAULT_DATA, found

    settings, _ = found()
    target = combined or settings.data or DEFAULT_DATA
    record = combine([load(path) for path in data if path != target], settings.policy())
    require_writable(target)
    store.save(record, target)
    _write(_rendered(record, form, sys.stdout), sys.stdout)
    return exit_status(record.verdict, fail_on or settings.fail_on or "error")


@cli.command(epilog=examples("frostline explain F101", "frostline explain frozen-but-decayed"))
@click.argument("rule", shell_complete=completion.rules)
def explain(rule: str) -> None:
    """Print the page of one RULE, given by its code or its name."""
    from frostline.report.pages import rule_page
    from frostline.rules import RULES

    pages = [
        rule_page(one, color=_shows_color(sys.stdout)).rstrip()
        for one in RULES
        if rule.lower() in (one.code.lower(), one.slug)
    ]
    if not pages:
        raise UnknownName.among("rule", rule, [name for one in RULES for name in (one.code, one.slug)])
    _write("\n\n".join(pages), sys.stdout)


@cli.command(epilog=examples("frostline rules"))
def rules() -> None:
    """List all rules, a line each."""
    from frostline.report.pages import rule_list
    from frostline.rules import RULES

    _write(rule_list(RULES, color=_shows_color(sys.stdout)), sys.stdout)


@cli.command(epilog=examples("frostline debug"))
def debug() -> None:
    """Print versions, frameworks found, kernels chosen, and why each fallback was taken."""
    from frostline.diagnosis import describe

    _write(describe(), sys.stdout)


def _conclude(outcome: Outcome, settings: Settings, paper: TextIO | None, stderr: TextIO | None) -> int:
    """Print what came of a run, and give the status to leave with: the script's own, unless a judgement was asked for.

    A launcher ends all processes of a job when one of them fails. So none but the first judges, when all have ended.
    """
    if outcome.is_child:
        return outcome.status
    asked = settings.fail_on not in (None, "never") and not outcome.rank
    problem = outcome.problem
    with contextlib.suppress(OSError, ValueError):  # a stream that is closed or full is the script's business
        tells = problem is None or isinstance(problem, RecordError)  # what cannot be stored can be printed
        if outcome.record is not None and tells and paper is not None:
            problem = _printed(outcome.record, paper) or problem
        if problem is not None and (paper is not None or not outcome.status):
            _complain(problem, stderr)
    if outcome.status or not asked:
        return outcome.status
    assert settings.fail_on is not None
    if problem is not None or outcome.record is None:
        return CANNOT
    if outcome.ranks:
        return _judged_together(outcome.ranks, outcome.record, settings, stderr)
    return exit_status(outcome.record.verdict, settings.fail_on)


def _printed(record: Record, paper: TextIO) -> FrostlineError | None:
    try:
        text = _rendered(record, "text", paper)
    except Exception as error:  # whatever is wrong with a report, the script's status is its own
        return FrostlineError(f"the report could not be printed: {type(error).__name__}: {error}")
    _write(text, paper)
    return None


def _judged_together(ranks: Sequence[Path], own: Record, settings: Settings, stderr: TextIO | None) -> int:
    """The verdict on all processes of a launcher, once they have ended."""
    from frostline.run.combine import combine, complete

    assert settings.fail_on is not None
    records, missing = complete(ranks, own)
    if missing:
        named = ", ".join(map(str, missing))
        error = FrostlineError(
            f"--fail-on judges all {len(ranks)} processes, and no complete record came of rank {named}",
            "let all processes write to one folder; see what those of these ranks printed",
        )
        with contextlib.suppress(OSError, ValueError):
            _complain(error, stderr)
        return CANNOT
    return exit_status(combine(records, settings.policy()).verdict, settings.fail_on)


def _rendered(record: Record, form: str, paper: TextIO | None, pages: str | None = None) -> str:
    from frostline.report import render

    terminal = paper is not None and paper.isatty()
    width = shutil.get_terminal_size().columns if terminal else 80
    return render(record, form, width=width, color=paper is not None and _shows_color(paper), pages=pages)


def _shows_color(paper: TextIO) -> bool:
    return paper.isatty() and not os.environ.get("NO_COLOR")


def _write(text: str, paper: TextIO) -> None:
    paper.write(text if text.endswith("\n") else text + "\n")
    paper.flush()


def _complain(error: FrostlineError, paper: TextIO | None = None) -> int:
    paper = paper or sys.stderr
    if paper is None:  # as under pythonw
        return CANNOT
    lines = [f"frostline: {error.message}", *([f"hint: {error.hint}"] if error.hint else [])]
    _write("\n".join(lines), paper)
    return CANNOT
