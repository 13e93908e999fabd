"""A call of a compiled train step of JAX: what is added to one that is no check, and what a check costs.

The same script runs in processes of its own with and without `frostline run`, in turns. Of 150 rounds of 10 calls the
least counts, of all turns, in processor time: other work on the machine only ever adds. A check reads a
frozen weight of 64 MiB twice, just before the step and just after it; beside that stand two digests of the same bytes,
made in turns with the checks (the median of the ratios).
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
CHECKS = Path(__file__).parent / "trainings" / "jax_checks.py"
OBSERVED = ("-m", "frostline", "run", "--quiet", "--data", "run.json")
GOALS = {"jit, 4 weights": 5e-6, "jit, 100 weights": 10e-6}  # seconds; for the others a share of the call
SHARE = 0.05
CHECK, READING = 0.5e-3, 0.8  # seconds of a check but for reading; the speed of that as a share of the digest's


def measure() -> Iterator[Line]:
    yield from _calls()
    yield from _checks()


def _calls() -> Iterator[Line]:
    plain, ours = _least([(), OBSERVED], (str(SCRIPT),))
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


def _checks() -> Iterator[Line]:
    ways = [(), (*OBSERVED, "--check-every", "1")]
    added = {}
    for count in (4, 100):
        plain, ours = _least(ways, (str(CHECKS), str(count), "0"))
        added[count] = ours["step"] - plain["step"]
        met = added[count] <= CHECK if count == 4 else None
        goal = "" if met is None else f"≤ {CHECK * 1e3} ms"
        yield Line(f"a check of {count} weights", f"{added[count] * 1e3:.2f} ms", goal=goal, met=met)
    digests = 1 / _least(ways[1:], (str(CHECKS), "4", "64", f"{added[4]}"))[0]["readings"]
    goal, met = f"≥ {READING}", digests >= READING
    yield Line(
        "a check that reads 2 · 64 MiB, beyond that", "1", "two digests of the same", f"{digests:.2f}", goal, met
    )


def _least(ways: list[tuple[str, ...]], script: tuple[str, ...]) -> list[dict[str, float]]:
    """The least seconds of what the script times, by the words before the script."""
    found: list[dict[str, float]] = [{} for _ in ways]
    for turn in range(TURNS):
        for index in range(len(ways))[:: -1 if turn % 2 else 1]:
            for name, seconds in _run(ways[index], script).items():
                found[index][name] = min(seconds, found[index].get(name, seconds))
    return found


def _run(words: tuple[str, ...], script: tuple[str, ...]) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *words, *script]
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))
