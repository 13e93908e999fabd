"""Runs studies and writes their pages: ``python -m studies [NAMES]``; exit 1 where a cell is not explained."""

from __future__ import annotations

import datetime
import importlib
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import click

from studies.asking import Ask
from studies.cells import Cell
from studies.progress import following

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "studies"
RESULTS = ROOT / "studies" / ".results"
STUDIES = ("layers", "optimizers", "article", "article_jax", "history", "weights")
DISTRIBUTIONS = ("frostline", "keras", "tf_keras", "torch", "jax", "flax", "equinox", "optax", "tensorflow", "numpy")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAMES]")
@click.option("--resume", is_flag=True, help="Take up the last run: ask only what it had no time for.")
@click.option("--minutes", type=float, help="Stop after so long; what is left is said to be not run.")
@click.option("--pages-only", is_flag=True, help="Write the pages again from the last run's results.")
def main(names: Sequence[str], resume: bool, minutes: float | None, pages_only: bool) -> None:
    """Run the studies named (all without a name) and write their pages under docs/studies."""
    unknown = [name for name in names if name not in STUDIES]
    if unknown:
        raise click.UsageError(f"there is no study {', '.join(unknown)}; there are {', '.join(STUDIES)}")
    doubts = 0
    for name in names or STUDIES:
        study = importlib.import_module(f"studies.{name}.study")
        if not pages_only:
            _run(study, _kept(name), opening(name), resume, minutes)
        doubts += _write(study, _kept(name))
    sys.exit(1 if doubts else 0)


def _kept(name: str) -> Path:
    return RESULTS / f"{name}.jsonl"


def _run(study: ModuleType, kept: Path, said: str, resume: bool, minutes: float | None) -> None:
    """Run one study; every cell is kept as soon as it is known."""
    RESULTS.mkdir(exist_ok=True)
    known = _load(kept)[1] if resume and kept.exists() else []
    with following() as follow, kept.open("a" if known else "w", buffering=1) as lines, Ask(known, minutes) as ask:
        lines.write("" if known else json.dumps(said) + "\n")
        for cell in study.run(ask, follow):
            if not any(cell is each for each in known):
                lines.write(json.dumps(cell.as_data()) + "\n")


def _write(study: ModuleType, kept: Path) -> int:
    """Write the pages of one study; how many cells are not explained."""
    if not kept.exists():
        raise click.UsageError(f"there are no results in {kept.relative_to(ROOT)}: run it without --pages-only")
    said, cells = _load(kept)
    PAGES.mkdir(exist_ok=True)
    for file, text in study.write(cells, said).items():
        (PAGES / file).write_text(text, "utf-8")
        click.echo(str((PAGES / file).relative_to(ROOT)))
    doubts = [cell for cell in cells if cell.doubts]
    for cell in doubts:
        click.echo(f"{cell.backend}: {cell.subject}, {cell.situation}: {'; '.join(cell.doubts)}", err=True)
    return len(doubts)


def _load(kept: Path) -> tuple[str, list[Cell]]:
    """The opening of the page, and every cell once: the last one of it that was kept."""
    said, *data = map(json.loads, kept.read_text().splitlines())
    cells = [Cell(**each) for each in data]
    return said, list({(cell.backend, cell.subject, cell.situation): cell for cell in cells}.values())


def opening(name: str) -> str:
    """When, with what and by which command a page was made."""
    versions = ", ".join(f"{each} {_version(each)}" for each in DISTRIBUTIONS)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"Written by `make studies ARGS={name}` on {today}; every number comes from that command, begun on that day "
        "and, where it was interrupted, taken up again. "
        f"Python {platform.python_version()} on a CPU; {versions}."
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "missing"


if __name__ == "__main__":
    main()
