"""Whole runs of real trainings, unchanged, with and without `frostline run`: the time by the clock and on processors.

Each run is a process of its own with one thread, of about a minute and of more than 20 ms a step; the two take turns.
Starting the interpreter, importing the framework and writing the record are part of it: what frostline adds lies almost
all in them, whatever the number of steps. Where other work loads the machine the processor time is the sturdier figure.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.turns import Line, Process, note, process

PACKAGES = ("torch", "keras", "jax", "tensorflow")
TURNS = 3
TRAININGS = {
    "a character transformer": ("char_transformer.py", "", 2200),
    "a ConvNet with batch normalisation": ("convnet.py", "", 2200),
    "a frozen backbone with a head": ("frozen_backbone.py", "", 1900),
    "Keras fit on jax": ("keras_fit.py", "jax", 500),
    "Keras fit on torch": ("keras_fit.py", "torch", 500),
    "Keras fit on tensorflow": ("keras_fit.py", "tensorflow", 900),
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
XLA = "--xla_cpu_multi_thread_eigen=false"
MOST, WORST = 1.01, 1.03


def measure() -> Iterator[Line]:
    walls, cpus = [], []
    for what, (script, backend, steps) in TRAININGS.items():
        note(f"{what}, {TURNS} pairs of {steps} steps")
        runs = pairs(script, backend, steps)
        wall = statistics.median(ours.wall / plain.wall for plain, ours in runs)
        cpu = statistics.median(ours.cpu / plain.cpu for plain, ours in runs)
        walls.append(wall)
        cpus.append(cpu)
        plain_seconds, own_seconds = (statistics.median(pair[index].cpu for pair in runs) for index in (0, 1))
        yield Line(
            f"{what}, {steps} steps",
            f"{own_seconds:.2f} s of processor time, {own_seconds - plain_seconds:+.2f} s",
            f"{plain_seconds:.2f} s",
            f"{cpu:.3f} (clock {wall:.3f})",
            f"≤ {MOST} by the median",
            cpu <= MOST,
        )
    middle, worst = statistics.median(cpus), max(cpus)
    yield Line("median of the trainings", "", "", f"{middle:.3f} (clock {statistics.median(walls):.3f})", f"≤ {MOST}", middle <= MOST)  # fmt: skip # noqa: E501
    yield Line("worst of the trainings", "", "", f"{worst:.3f} (clock {max(walls):.3f})", f"≤ {WORST}", worst <= WORST)


def pairs(script: str, backend: str, steps: int) -> list[tuple[Process, Process]]:
    """Runs without and with, in turns."""
    path = str(Path(__file__).parent / "trainings" / script)
    environment = ONE_THREAD | {"KERAS_BACKEND": backend or "torch", "XLA_FLAGS": XLA, "TF_CPP_MIN_LOG_LEVEL": "3"}
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            seen = {}
            for name in ("plain", "ours") if turn % 2 else ("ours", "plain"):
                words = ["-m", "frostline", "run"] if name == "ours" else []
                seen[name] = process([sys.executable, *words, path, str(steps)], Path(folder), environment)
            runs.append((seen["plain"], seen["ours"]))
    return runs
