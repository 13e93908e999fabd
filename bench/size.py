"""Models of 2,500 to 100,000 tiny tensors, half of them frozen: checks, what they write, and memory.

The same training runs in processes of its own with and without `frostline run`. A check is what it adds to the
iteration that it falls into and to the next one, whose forward pass is watched, in processor time; of the checks at
steps 4 and 8 the lesser counts, since other work on the machine only ever adds. The first check also finds the model.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.turns import Line, Process, note, process

PACKAGES = ("torch",)
SIZES = (2_500, 10_000, 100_000)
STEPS, CHECKS = 10, (4, 8)
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
SCRIPT = Path(__file__).parent / "trainings" / "many_tensors.py"
GOALS = {10_000: 0.25, 100_000: 2.5}
GROWTH = 1.05
WRITTEN, RECORD, MEMORY = 100_000, 3_000_000, 150


@dataclass(frozen=True)
class Cost:
    """What `frostline run` added: seconds of the first check and of a later one, of the whole run; bytes; memory."""

    first: float
    check: float
    whole: float
    written: int
    record: int
    mebibytes: float


def measure() -> Iterator[Line]:
    costs = {}
    for tensors in SIZES:
        note(f"{tensors:,} tensors")
        cost = costs[tensors] = cost_of(tensors)
        goal = GOALS.get(tensors)
        yield Line(
            f"a check of {tensors:,} tensors",
            f"{cost.check:.2f} s",
            f"{cost.first:.2f} s the first, {cost.whole:.2f} s all that is added to {STEPS} steps",
            f"{cost.check / tensors * 1e6:.0f} µs a tensor",
            "" if goal is None else f"≤ {goal} s",
            None if goal is None else cost.check <= goal,
        )
    few, many = SIZES[0], SIZES[-1]
    growth = math.log(costs[many].check / costs[few].check) / math.log(many / few)
    yield Line(f"growth of a check from {few:,} to {many:,}", f"{growth:.2f}", "", "exponent", f"≤ {GROWTH}", growth <= GROWTH)  # fmt: skip # noqa: E501
    middle = costs[10_000]
    yield Line("bytes written at a check of 10,000 tensors that finds nothing new", f"{middle.written:,}", "", "", f"≤ {WRITTEN:,}", middle.written <= WRITTEN)  # fmt: skip # noqa: E501
    yield Line("the record of 10,000 tensors", f"{middle.record:,} bytes", "", f"{middle.record / 10_000:.0f} a tensor", f"≤ {RECORD:,}", middle.record <= RECORD)  # fmt: skip # noqa: E501
    memory = costs[many].mebibytes
    yield Line(f"extra peak memory, {many:,} tensors", f"{memory:.0f} MiB", "", f"{memory / many * 1024:.1f} KiB a tensor", f"≤ {MEMORY} MiB", memory <= MEMORY)  # fmt: skip # noqa: E501


def cost_of(tensors: int) -> Cost:
    """What is added to a run over so many tensors."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plain, used = _run([], tensors, folder)
        ours, spent = _run(["-m", "frostline", "run", "--quiet"], tensors, folder)
        record = (folder / ".frostline.json").stat().st_size
    step = statistics.median(plain["iterations"][2:])
    taken, sizes = ours["iterations"], ours["sizes"]
    check = min(taken[each - 1] + taken[each] - 2 * step for each in CHECKS)
    first = taken[0] + taken[1] - plain["iterations"][0] - step  # the check at step 2 is in it
    return Cost(first, check, spent.cpu - used.cpu, sizes[7] - sizes[6], record, spent.peak_mib - used.peak_mib)


def _run(words: list[str], tensors: int, folder: Path) -> tuple[dict[str, list[float]], Process]:
    """What the training printed, and what its process took."""
    printed = folder / "printed.json"
    script = [str(SCRIPT), str(tensors), str(STEPS), str(printed)]
    used = process([sys.executable, *words, *script], folder, ONE_THREAD)
    return json.loads(printed.read_text()), used
