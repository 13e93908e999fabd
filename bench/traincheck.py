"""TrainCheck beside frostline: what a step of the same training takes under each, against the same step unwatched.

TrainCheck learns what always holds from the trace of a healthy run (here 10 steps), and instruments later runs for what
it learned. It ran with all that it learned, with a hundred invariants drawn by chance, and as a collector that learns.
The time of a step is the difference between a run of many steps and one of few, so that no tool pays for its start; the
checks that frostline makes at steps 16, 32, 64 and 128 are in it. TrainCheck publishes 1.048 by the median and 1.362 at
worst.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.turns import Line, note, process

PACKAGES = ("torch",)
ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / ".venv-rivals" / "bin"
SCRIPT = ROOT / "bench" / "trainings" / "char_transformer.py"
TURNS, FEW, MANY, LEARNED, DRAWN = 2, 10, 160, 10, 100
LEARNING, MANY_LEARNING = "TrainCheck, learning", 20  # takes seconds a step
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

Ways = dict[str, Sequence[str]]


def measure() -> Iterator[Line]:
    if not (COMMANDS / "traincheck-collect").exists():
        note("TrainCheck is not here: make .venv-rivals/.installed puts it into an environment of its own")
        return
    with tempfile.TemporaryDirectory(prefix="traincheck-") as name:
        folder = Path(name)
        note("TrainCheck learns from one run")
        ways = contestants(folder, learned(folder))
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(TURNS):
            note(f"turn {turn + 1} of {TURNS}")
            for way in list(ways)[:: -1 if turn % 2 else 1]:
                seconds[way].append(a_step(ways[way], folder, MANY_LEARNING if way == LEARNING else MANY))
    plain = seconds.pop("unwatched")
    for way, taken in seconds.items():
        ratios = [mine / theirs for mine, theirs in zip(taken, plain, strict=True)]
        yield Line(
            f"a step with {way}",
            f"{statistics.median(taken) * 1000:.1f} ms",
            f"{statistics.median(plain) * 1000:.1f} ms unwatched",
            f"{statistics.median(ratios):.3f}, {max(ratios):.3f} at worst",
        )


def contestants(folder: Path, invariants: Path) -> Ways:
    """The words that start each way to run the training; the number of steps is said in its environment."""
    sample = folder / "sample.json"
    lines = invariants.read_text().splitlines(keepends=True)
    sample.write_text("".join(random.Random(0).sample(lines, min(DRAWN, len(lines)))))
    return {
        "unwatched": [str(COMMANDS / "python"), str(copied(folder, "plain"))],
        "frostline": [str(COMMANDS / "python"), "-m", "frostline", "run", str(copied(folder, "ours"))],
        f"TrainCheck, {DRAWN} invariants": [*collecting(folder, "hundred"), "-i", str(sample)],
        f"TrainCheck, all {len(lines)} invariants": [*collecting(folder, "all"), "-i", str(invariants)],
        LEARNING: collecting(folder, "learning"),
    }


def learned(folder: Path) -> Path:
    """What TrainCheck infers from a short run of the training."""
    invariants = folder / "invariants.json"
    words = collecting(folder, "reference")
    process(words, folder, ONE_THREAD | {"STEPS": str(LEARNED)})
    infer = [str(COMMANDS / "traincheck-infer"), "-f", str(folder / "reference-trace"), "-o", str(invariants)]
    subprocess.run(infer, cwd=folder, check=True, capture_output=True)
    return invariants


def collecting(folder: Path, name: str) -> list[str]:
    collect = [str(COMMANDS / "traincheck-collect"), "-p", str(copied(folder, name))]
    return [*collect, "--models-to-track", "model", "--output-dir", str(folder / f"{name}-trace")]


def copied(folder: Path, name: str) -> Path:
    """The training as a file of its own: TrainCheck writes beside the script, and hands no arguments on to it."""
    script = folder / f"{name}.py"
    script.write_text("import os\nimport sys\nsys.argv[1:] = [os.environ['STEPS']]\n" + SCRIPT.read_text())
    return script


def a_step(words: Sequence[str], folder: Path, steps: int) -> float:
    """Processor seconds of one step of a run of ``steps``, without what a run of few steps takes."""
    few, many = (process(words, folder, ONE_THREAD | {"STEPS": str(count)}).cpu for count in (FEW, steps))
    return (many - few) / (steps - FEW)
