"""Frostline and brute force agree on random trainings with JAX too, in a process of their own."""

import os
import subprocess
import sys
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


@pytest.mark.needs("jax", "flax", "optax")
def test_both_sides_see_the_same_on_jax() -> None:
    seeds = [*DRAWN, *(f"{seed}:{seed + 1}" for seed in MET)]
    command = [sys.executable, "-m", "oracle", *seeds, "--on", "jax", "--no-shrink"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 seeds, 0 disagreements" in done.stdout
