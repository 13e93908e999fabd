"""Frostline and brute force agree on random trainings with JAX too, in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRAWN = ("0:4",)
MET = {
    14: "MultiSteps has its optimizer traced where nothing is compiled: what it was given has no values",
    25: "a frozen weight that the raw gradient moves leads its hard copy, and does not follow it",
    48: "running statistics that never moved are zeros, also in JAX",
    84: "what MultiSteps gathers is state, and no weights",
    102: "statistics beside weights that are frozen, and move all the same, are meant to stay",
    110: "a result that is dropped for one block says nothing of the whole optimizer",
}


def judged(seeds: Iterable[str], *ways: str) -> str:
    command = [sys.executable, "-m", "oracle", *seeds, "--on", "jax", "--no-shrink"]
    command += [word for way in ways for word in ("--way", way)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.needs("jax", "flax", "optax", "equinox")
def test_both_sides_see_the_same_of_plain_trees() -> None:
    assert "10 trainings, 0 disagreements" in judged([*DRAWN, *(f"{seed}:{seed + 1}" for seed in MET)])


@pytest.mark.needs("jax", "flax", "optax", "equinox")
def test_both_sides_see_the_same_of_modules_and_of_loops_by_hand() -> None:
    assert "8 trainings, 0 disagreements" in judged(["1:3"], "linen", "nnx", "equinox", "by hand")
