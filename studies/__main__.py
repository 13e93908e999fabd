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

import click

from studies.progress import following

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "studies"
RESULTS = ROOT / "studies" / ".results"
STUDIES = ("layers", "optimizers", "article", "history")
DISTRIBUTIONS = ("frostline", "keras", "tf_keras", "torch", "jax", "tensorflow", "numpy")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAMES]")
@click.option("--pages-only", is_flag=True, help="Write the pages anew from the last run's results.")
def main(names: Sequence[str], pages_only: bool) -> None:
    """Run the studies named (all without a name) and write their pages under docs/studies."""
    unknown = [name for name in names if name not in STUDIES]
    if unknown:
        raise click.UsageError(f"there is no study {', '.join(unknown)}; there are {', '.join(STUDIES)}")
    doubts = sum(studied(name, pages_only) for name in names or STUDIES)
    sys.exit(1 if doubts else 0)


def studied(name: str, pages_only: bool) -> int:
    """Run one study, keep its results, write its pages; how many cells are not explained."""
    study = importlib.import_module(f"studies.{name}.study")
    kept = RESULTS / f"{name}.jsonl"
    if not pages_only:
        RESULTS.mkdir(exist_ok=True)
        with following() as follow, kept.open("w", buffering=1) as lines:
            lines.write(json.dumps(opening(name)) + "\n")
            for each in study.run(follow):
                lines.write(json.dumps(each) + "\n")
    if not kept.exists():
        raise click.UsageError(f"the study {name} has no results here: run it without --pages-only")
    said, *data = map(json.loads, kept.read_text().splitlines())
    PAGES.mkdir(exist_ok=True)
    for file, text in study.write(data, said).items():
        (PAGES / file).write_text(text, "utf-8")
        click.echo(str((PAGES / file).relative_to(ROOT)))
    doubts = [each for each in data if each.get("doubts")]
    for each in doubts:
        click.echo(f"{each['backend']}: {each['subject']}, {each['situation']}: {'; '.join(each['doubts'])}", err=True)
    return len(doubts)


def opening(name: str) -> str:
    """When, with what and by which command a page was made."""
    versions = ", ".join(f"{each} {_version(each)}" for each in DISTRIBUTIONS)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"Written by `make studies ARGS={name}` on {today}; every number comes from that run. "
        f"Python {platform.python_version()} on a CPU; {versions}."
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "missing"


if __name__ == "__main__":
    main()
