"""Runs of a minute of real trainings, unchanged, under `frostline run`: what it adds, reckoned from short runs.

Runs of a minute waver by more than what is measured. So each training runs in two lengths of a few seconds, with and
without frostline in turns, each run a process of its own with one thread. Of processor time other work only ever takes
more: the least of each counts. The two lengths tell what is paid once and what a check takes, and with that what is
added to a minute, with its checks at steps 1, 2, 4, …; starting, importing the framework and the report are part of it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.turns import Line, note, process

PACKAGES = ("torch", "keras", "jax", "tensorflow")
TURNS = 5
MINUTE = 60.0
TRAININGS = {  # script, backend of Keras, steps of the short and the long run
    "a character transformer": ("char_transformer.py", "", (4, 128)),
    "a ConvNet with batch normalisation": ("convnet.py", "", (4, 128)),
    "a frozen backbone with a head": ("frozen_backbone.py", "", (4, 128)),
    "Keras fit on jax": ("keras_fit.py", "jax", (2, 32)),
    "Keras fit on torch": ("keras_fit.py", "torch", (2, 32)),
    "Keras fit on tensorflow": ("keras_fit.py", "tensorflow", (2, 32)),
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
XLA = "--xla_cpu_multi_thread_eigen=false"
MOST, WORST, NOISE = 1.005, 1.01, 0.01


@dataclass(frozen=True)
class Short:
    """Processor seconds of runs of one length, in their order: plain ones and observed ones."""

    steps: int
    plain: list[float]
    ours: list[float]

    @property
    def added(self) -> float:
        return min(self.ours) - min(self.plain)

    @property
    def noise(self) -> float:
        """How far the second least lies from the least, of both."""
        return sum(sorted(side)[1] - min(side) for side in (self.plain, self.ours))

    @property
    def checks(self) -> int:
        return checks_of(self.steps)


@dataclass(frozen=True)
class Minute:
    """What is added to a run of a minute: in all, once, by each check; how far that may be off."""

    steps: int
    added: float
    once: float
    check: float
    noise: float


def measure() -> Iterator[Line]:
    minutes = []
    for what, (script, backend, lengths) in TRAININGS.items():
        note(f"{what}, {TURNS} pairs of {lengths[0]} and of {lengths[1]} steps")
        minute = a_minute(*short_runs(script, backend, lengths))
        minutes.append(minute)
        ratio = 1 + minute.added / MINUTE
        yield Line(
            f"{what}, {minute.steps:,} steps",
            f"{minute.added:+.2f} s of processor time",
            f"{minute.once:.2f} s once, {minute.check * 1000:.0f} ms a check",
            f"{ratio:.4f} ± {minute.noise / MINUTE:.4f}",
            f"≤ {WORST}",
            ratio <= WORST,
        )
    ratios = [1 + each.added / MINUTE for each in minutes]
    middle, noise = statistics.median(ratios), max(each.noise for each in minutes) / MINUTE
    yield Line("median of the trainings", "", "", f"{middle:.4f}", f"≤ {MOST}", middle <= MOST)
    yield Line("most that a figure wavers", "", "", f"{noise:.4f}", f"< {NOISE}", noise < NOISE)


def checks_of(steps: int) -> int:
    """How many of the first steps are checks: 1, 2, 4, …

    >>> [checks_of(steps) for steps in (1, 2, 3, 4, 128)]
    [1, 2, 2, 3, 8]
    """
    return steps.bit_length()


def a_minute(short: Short, long: Short) -> Minute:
    """What two lengths of runs tell of a run of a minute.

    >>> minute = a_minute(Short(4, [2.0, 2.1], [2.3, 2.5]), Short(128, [5.1, 5.1], [5.45, 5.45]))
    >>> minute.steps, round(minute.once, 2), round(minute.check, 2), round(minute.added, 2), round(minute.noise, 2)
    (2324, 0.27, 0.01, 0.39, 0.24)
    """
    step = (min(long.plain) - min(short.plain)) / (long.steps - short.steps)
    steps = short.steps + int((MINUTE - min(short.plain)) / step)
    check = (long.added - short.added) / (long.checks - short.checks)
    further = (checks_of(steps) - short.checks) / (long.checks - short.checks)  # beyond the short run, in its lengths
    added = short.added + further * (long.added - short.added)
    noise = abs(1 - further) * short.noise + further * long.noise
    return Minute(steps, added, short.added - check * short.checks, check, noise)


def short_runs(script: str, backend: str, lengths: tuple[int, int]) -> tuple[Short, Short]:
    """Runs of both lengths without and with frostline, in turns."""
    path = str(Path(__file__).parent / "trainings" / script)
    environment = ONE_THREAD | {"KERAS_BACKEND": backend or "torch", "XLA_FLAGS": XLA, "TF_CPP_MIN_LOG_LEVEL": "3"}
    short, long = (Short(steps, [], []) for steps in lengths)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(TURNS):
            for runs in (short, long):
                for seconds, words in ((runs.plain, []), (runs.ours, ["-m", "frostline", "run"])):
                    command = [sys.executable, *words, path, str(runs.steps)]
                    seconds.append(process(command, Path(folder), environment).cpu)
    return short, long
