"""A call of a compiled train step of JAX that is no check: what is added to it, the least of 150 rounds of 10 calls.

The same script runs in processes of its own with and without `frostline run`, in turns; the least of all turns counts,
since other work on the machine only ever adds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.turns import Line

PACKAGES = ("jax", "flax", "equinox", "optax", "wrapt")
TURNS = 3
SCRIPT = Path(__file__).parent / "trainings" / "jax_calls.py"
OBSERVED = ("-m", "frostline", "run", "--quiet", "--data", "run.json")
GOALS = {"jit, 4 weights": 5e-6, "jit, 100 weights": 10e-6}  # seconds; for the others a share of the call
SHARE = 0.05


def measure() -> Iterator[Line]:
    plain, ours = _least([(), OBSERVED])
    for name, seconds in plain.items():
        added = ours[name] - seconds
        goal = GOALS.get(name)
        yield Line(
            f"a call of {name}, added to it",
            f"{added * 1e6:+.1f} µs",
            f"{seconds * 1e6:.1f} µs",
            f"{ours[name] / seconds:.3f}",
            f"≤ {SHARE:.0%}" if goal is None else f"≤ {goal * 1e6:.0f} µs",
            added <= (SHARE * seconds if goal is None else goal),
        )


def _least(ways: list[tuple[str, ...]]) -> list[dict[str, float]]:
    """The least seconds of each call, by the words before the script."""
    found: list[dict[str, float]] = [{} for _ in ways]
    for turn in range(TURNS):
        for index in range(len(ways))[:: -1 if turn % 2 else 1]:
            for name, seconds in _run(ways[index]).items():
                found[index][name] = min(seconds, found[index].get(name, seconds))
    return found


def _run(words: tuple[str, ...]) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *words, str(SCRIPT)]
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))
