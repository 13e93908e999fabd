"""Judges random trainings by brute force and by frostline: ``python -m oracle 0:3000``."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from typing import get_args

import click

from oracle.compare import Disagreement, disagreements, shrunk
from oracle.plans import Way

PLANS = {"torch": "oracle.plans", "keras": "oracle.keras_trainings", "jax": "oracle.jax_trainings"}
TRAININGS = PLANS | {"torch": "oracle.trainings"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("seeds", nargs=-1)
@click.option("--on", default="torch", type=click.Choice([*PLANS]), help="On Keras, KERAS_BACKEND counts.")
@click.option("--way", multiple=True, type=click.Choice([*get_args(Way)]), help="Of training with JAX, optax without.")
@click.option("--shrink/--no-shrink", default=True, help="Make each plan that they disagree on smaller first.")
def main(seeds: Sequence[str], on: str, way: Sequence[Way], shrink: bool) -> None:
    """Run the trainings of SEEDS (as in 0:3000, and 0:300 without any) and print those judged differently."""
    drawn, trainings = importlib.import_module(PLANS[on]), importlib.import_module(TRAININGS[on])
    ranges = [each.partition(":") for each in seeds or ("0:300",)]
    chosen = [seed for first, _, last in ranges for seed in range(int(first), int(last))]
    started, found = time.perf_counter(), 0
    plans = [drawn.plan(seed, each) for each in way or ("optax",) for seed in chosen] if on == "jax" else None
    for each in disagreements(plans or map(drawn.plan, chosen), trainings.run):
        found += 1
        click.echo(told(shrunk(each, trainings.run) if shrink else each))
    seconds = time.perf_counter() - started
    click.echo(f"{len(plans or chosen):,} trainings, {found} disagreements, {seconds:.0f} s")
    sys.exit(1 if found else 0)


def told(found: Disagreement) -> str:
    """A disagreement as a person reads it."""
    missed = ", ".join(f"{law} {name}" for law, name in sorted(found.missed))
    alarms = ", ".join(f"{law} {name}" for law, name in sorted(found.alarms))
    return f"{found.plan}\n  missed by frostline: {missed or 'nothing'}\n  alarms: {alarms or 'none'}"


if __name__ == "__main__":
    main()
