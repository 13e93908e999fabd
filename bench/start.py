"""How long `import frostline` and `frostline --help` take beyond an interpreter that does nothing; what a run adds.

The third line is such an interpreter below an observed run, where it waits for the import of a framework. What
`frostline run` adds to a script is the median of the differences of pairs, in processor time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.turns import Line, process

from frostline.run.environment import VARIABLE

PACKAGES = ("click", "msgspec")
TURNS = 15
COMMANDS = {
    "nothing": ("-c", "pass"),
    "import": ("-c", "import frostline"),
    "help": ("-m", "frostline", "--help"),
    "below": ("-c", "pass"),
}

THREE_STEPS = """
import torch
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
"""
SCRIPTS = {
    "an empty script": ("", 0.08),
    "a script that imports torch": ("import torch\n", 0.10),
    "a training of three steps": (THREE_STEPS, 0.18),
}
PAIRS = 11


def measure() -> Iterator[Line]:
    yield from _loading()
    with tempfile.TemporaryDirectory() as place:
        for what, (script, most) in SCRIPTS.items():
            (Path(place) / "train.py").write_text(script)
            pairs = [_pair(Path(place), turn) for turn in range(PAIRS)]
            added = statistics.median(ours - plain for plain, ours in pairs)
            plain = statistics.median(each for each, _ in pairs)
            yield Line(
                f"frostline run of {what}",
                f"+{added:.3f} s of processor time",
                f"{plain:.2f} s",
                "",
                f"≤ {most} s",
                added <= most,
            )


def _pair(folder: Path, turn: int) -> tuple[float, float]:
    """Processor time without and with, the first of which takes turns."""
    seen = {}
    for name in ("plain", "ours") if turn % 2 else ("ours", "plain"):
        words = ["-m", "frostline", "run"] if name == "ours" else []
        seen[name] = process([sys.executable, *words, "train.py"], folder, {"OMP_NUM_THREADS": "1"}).cpu
    return seen["plain"], seen["ours"]


def _loading() -> Iterator[Line]:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    used: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(TURNS):
        for name, words in COMMANDS.items():
            seen = process([sys.executable, *words], Path.cwd(), {VARIABLE: "{}"} if name == "below" else {})
            taken[name].append(seen.wall)
            used[name].append(seen.cpu)
    goals = (
        ("import", "import frostline", 0.06),
        ("help", "frostline --help", 0.2),
        ("below", "a process below a run", 0.01),
    )
    for name, what, most in goals:
        beyond = statistics.median(taken[name]) - statistics.median(taken["nothing"])
        worked = statistics.median(used[name]) - statistics.median(used["nothing"])
        yield Line(
            what,
            f"{beyond * 1e3:.0f} ms",
            f"{worked * 1e3:.0f} ms of processor time",
            "",
            f"< {most * 1e3:.0f} ms",
            beyond < most,
        )
