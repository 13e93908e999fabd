"""How long `import frostline` and `frostline --help` take beyond an interpreter that does nothing.

The last line is such an interpreter below an observed run, where it waits for the import of a framework.
"""

from __future__ import annotations

import statistics
import sys
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


def measure() -> Iterator[Line]:
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
