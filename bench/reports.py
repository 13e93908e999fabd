"""Reading, judging and reporting a stored run of many tensors, half of them frozen, half trained at all eight checks.

Processor time of the step alone, in one process: a report has to read the record first.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bench.ranks import write_records
from bench.turns import Line, note

from frostline.core.collector import collector_paused
from frostline.core.storage import run_file, store
from frostline.core.suppressions import Policy
from frostline.judging import judged
from frostline.report import FORMATS, Stream

PACKAGES = ("msgspec", "jinja2")
SIZES = (10_000, 100_000)
GROWTH = 1.05
GOALS = {"text": 1.0, "html": 2.0}
HTML_BYTES = 5_000_000
Made = TypeVar("Made")


def measure() -> Iterator[Line]:
    taken: dict[str, dict[int, float]] = {"reading": {}, "judging": {}, "text": {}, "html": {}}
    page = 0
    with tempfile.TemporaryDirectory() as place, collector_paused():
        for tensors in SIZES:
            note(f"{tensors:,} tensors")
            write_records(Path(place), 1, tensors, are_parts=False)
            content = store.read(Path(place) / "rank-0.json")
            stored, taken["reading"][tensors] = _timed(lambda content=content: run_file.read(content))
            record, taken["judging"][tensors] = _timed(lambda ledger=stored.ledger: judged(ledger, Policy()))
            for form in ("text", "html"):
                text, taken[form][tensors] = _timed(lambda form=form, record=record: FORMATS[form](record, Stream()))
                page = len(text.encode())
    few, many = SIZES
    for what, seconds in taken.items():
        growth = math.log(seconds[many] / seconds[few]) / math.log(many / few)
        goal = GOALS.get(what)
        met = growth <= GROWTH if goal is None else seconds[many] <= goal
        yield Line(
            f"{what}, {many:,} tensors",
            f"{seconds[many]:.2f} s",
            f"{seconds[few]:.2f} s for {few:,}",
            f"exponent {growth:.2f}",
            f"≤ {goal} s" if goal is not None else f"exponent ≤ {GROWTH}",
            met,
        )
    yield Line(f"the HTML page of {many:,} tensors", f"{page:,} bytes", "", "", f"≤ {HTML_BYTES:,}", page <= HTML_BYTES)


def _timed(act: Callable[[], Made]) -> tuple[Made, float]:
    started = time.process_time()
    made = act()
    return made, time.process_time() - started
