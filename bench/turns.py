"""What all measurements share: contestants that take turns, the machine they ran on, and lines for people."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

Call = Callable[[], object]


@dataclass(frozen=True)
class Line:
    """One measured fact: what, ours, what stands beside it, their ratio, the goal and whether it was met."""

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        goal = f"{self.goal} {'' if self.met is None else '✓' if self.met else '✗'}".strip()
        return (self.what, self.ours, self.beside, self.ratio, goal)


HEAD = ("what", "ours", "beside it", "ratio", "goal")


class Times(dict[str, list[float]]):
    """Seconds of each contestant in each turn."""

    def median(self, name: str) -> float:
        return statistics.median(self[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times as long ``name`` takes as ``other``: the median of the ratios of turns, since a noisy moment
        hits both alike."""
        return statistics.median(mine / theirs for mine, theirs in zip(self[name], self[other], strict=True))


def times(contestants: Mapping[str, Call], turns: int) -> Times:
    """Let the contestants take turns; the first turn warms up, every other one goes the other way round."""
    seconds = Times({name: [] for name in contestants})
    for turn in range(turns + 1):
        for name in list(contestants)[:: -1 if turn % 2 else 1]:
            started = time.perf_counter()
            contestants[name]()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


@dataclass(frozen=True)
class Process:
    """What one process took: seconds by the clock and on processors, and its largest memory."""

    wall: float
    cpu: float
    peak_mib: float


# A process starts with its parent's peak as its own, and a measurement may hold gigabytes: an interpreter that holds
# nothing stands between the two.
_STARTER = """
import json, os, sys, time
started = time.perf_counter()
null = os.open(os.devnull, os.O_RDWR)
silence = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silence)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def process(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Process:
    """Run a command whose exit status must be 0, and tell what it took."""
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, *words]
    told = subprocess.run(starter, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True)
    status, wall, cpu, peak_mib = json.loads(told.stdout)
    if status:
        raise RuntimeError(f"{' '.join(words)} ended with status {status}")
    return Process(wall, cpu, peak_mib)


def load() -> str:
    """The load average of the last minute; above the number of processors, others were waiting too."""
    return f"{os.getloadavg()[0]:.1f}"


def machine(packages: Sequence[str]) -> str:
    """What the figures belong to: processor, versions."""
    versions = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return f"{_processor()}, {os.cpu_count()} processors, {platform.system()}; {', '.join(versions)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def note(text: str) -> None:
    """Say on stderr how far the work is."""
    print(f"  … {text}", file=sys.stderr, flush=True)
