"""Runs the corpus: ``python -m corpus [NAMES] [--variants]``; exit 1 on any miss or false alarm without a reason."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from corpus import table
from corpus.cases import Case, Trial, load, trials
from corpus.judging import Judgement, gaps, judge, unexplained
from corpus.running import prepare, run
from corpus.variants import in_turn, variants


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--framework", help="Only this framework's.")
@click.option(
    "--role", type=click.Choice(["bug", "fixed", "clean"]), help="Only bugs, their twins, or healthy programs."
)
@click.option(
    "--variants", "with_variants", is_flag=True, help="The mechanical variants of the chosen programs instead."
)
@click.option(
    "--in-turn",
    "once_each",
    is_flag=True,
    help="Of the variants, each edit of a program on one of its backends only, in turn.",
)
@click.option("--jobs", default=2, show_default=True, help="Programs that run at a time.")
@click.option("--cold", is_flag=True, help="A fresh interpreter for every program, as users run it.")
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the page of the docs; frameworks that are not run keep their lines.",
)
def main(
    names: Sequence[str],
    framework: str | None,
    role: str | None,
    with_variants: bool,
    once_each: bool,
    jobs: int,
    cold: bool,
    write: Path | None,
) -> None:
    """Run programs of the corpus and compare what frostline finds with what it must find.

    NAMES are parts or patterns of names, as in 'clean/torch/*' or 'digits'; all without one. A variant's name ends
    with its edit: --variants '~seeded'.
    """
    if once_each and not with_variants:
        raise click.UsageError("--in-turn chooses among variants; say --variants as well")
    cases = load()
    everything = trials(cases)
    asked = [trial for trial in everything if framework in (None, trial.case.framework) and role in (None, trial.role)]
    chosen = [trial for trial in asked if with_variants or trial.is_among(names)]
    runnable = [trial for trial in chosen if not trial.case.missing()]
    known = {} if with_variants else gaps()
    with tempfile.TemporaryDirectory(prefix="variants-") as folder:
        if with_variants:
            everyone: Iterable[Trial] = (variant for trial in runnable for variant in variants(trial, Path(folder)))
            everyone = in_turn(everyone) if once_each else everyone
            runnable = [variant for variant in everyone if variant.is_among(names)]
        judgements = list(_judged(runnable, jobs, warm=not cold))
    complaints = unexplained(judgements, known, [trial.name for trial in everything])
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    out.print(table.details(judgements, known), table.totals(judgements), sep="\n\n")
    waiting = [] if names else [case for case in cases if framework in (None, case.framework)]
    for reason, count in _not_run(waiting, chosen).items():
        out.print(f"{count} not run: {reason}", style="dim")
    for complaint in complaints:
        out.print(complaint, style="red", markup=False)
    if write:
        write.write_text(table.markdown(judgements, known, write.read_text() if write.exists() else ""))
    sys.exit(1 if complaints else 0)


def _not_run(cases: Sequence[Case], chosen: Sequence[Trial]) -> Counter[str]:
    """Why programs were left out, with how many."""
    reasons = Counter(case.waiting for case in cases if case.waiting)
    reasons.update(f"wants {', '.join(absent)}" for trial in chosen if (absent := trial.case.missing()))
    return reasons


def _judged(chosen: Sequence[Trial], jobs: int, *, warm: bool) -> Iterator[Judgement]:
    """Judgements in the order of the trials, behind a progress bar on stderr."""
    prepare()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress, ThreadPoolExecutor(jobs) as pool:
        task = progress.add_task("corpus", total=len(chosen))
        for outcome in pool.map(lambda trial: run(trial, warm=warm), chosen):
            progress.update(task, advance=1, description=outcome.trial.name[:48])
            yield judge(outcome)


if __name__ == "__main__":
    main()
