"""Frostline and brute force agree on random trainings with Keras too, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def judged(seeds: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oracle", seeds, "--on", "keras"]
    surroundings = os.environ | {"KERAS_BACKEND": "jax"}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)


def test_both_sides_see_the_same_on_keras() -> None:
    done = judged("0:6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 trainings, 0 disagreements" in done.stdout


def test_statistics_under_weights_that_were_frozen_one_by_one() -> None:
    """Seed 29: the layer's own flag is on, and its weights were switched off one by one."""
    done = judged("29:30")
    assert done.returncode == 0, done.stdout + done.stderr
