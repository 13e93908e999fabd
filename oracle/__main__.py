"""Judges random trainings by brute force and by frostline: ``python -m oracle 0:3000``."""

from __future__ import annotations

import sys
import time

import click

from oracle.compare import Disagreement, disagreements, shrunk


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("seeds", default="0:300")
@click.option("--shrink/--no-shrink", default=True, help="Make each plan that they disagree on smaller first.")
def main(seeds: str, shrink: bool) -> None:
    """Run the trainings of SEEDS (as in 0:3000) and print every one that the two sides judge differently."""
    first, _, last = seeds.partition(":")
    chosen = range(int(first), int(last))
    started, found = time.perf_counter(), 0
    for each in disagreements(chosen):
        found += 1
        click.echo(told(shrunk(each) if shrink else each))
    seconds = time.perf_counter() - started
    click.echo(f"{len(chosen):,} seeds, {found} disagreements, {seconds:.0f} s")
    sys.exit(1 if found else 0)


def told(found: Disagreement) -> str:
    """A disagreement as a person reads it."""
    missed = ", ".join(f"{law} {name}" for law, name in sorted(found.missed))
    alarms = ", ".join(f"{law} {name}" for law, name in sorted(found.alarms))
    return f"{found.plan}\n  missed by frostline: {missed or 'nothing'}\n  alarms: {alarms or 'none'}"


if __name__ == "__main__":
    main()
