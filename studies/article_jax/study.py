"""Runs the article's experiment in flax and equinox under ``frostline run``, and writes who was right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from frostline import judging
from frostline.core.record import Record
from studies.asking import Ask
from studies.cells import Cell, first_line
from studies.progress import Follow
from studies.tables import table

SCRIPT = Path(__file__).with_name("experiment.py")
LIBRARIES = ("flax nnx", "equinox")
PARTS = {"A": 25_450, "B": 2_110}
# Each way to freeze, with the part that it is meant to keep; nothing where it is empty.
VARIANTS = {
    "nothing frozen": "",
    "B left out by a filter": "B",
    "A left out by a filter": "A",
    "B set to zero by label": "B",
    "B set to zero by label, with weight decay": "B",
    "B set to zero after the optimizer": "B",
    "B set to zero after the optimizer, with weight decay": "B",
    "B set to zero before the optimizer": "B",
    "B set to zero before the optimizer, with weight decay": "B",
    "B masked": "B",
    "B behind stop_gradient": "B",
    "B behind stop_gradient, with weight decay": "B",
    "compiled by jax.jit": "",
}
ONLY = {"compiled by jax.jit": "flax nnx"}
INTRODUCTION = """
The experiment of [the article](article.md) without Keras. JAX has no flag: what freezes B (2,110 numbers) inside C
(27,560, with A of 25,450) is what the script leaves out, sets to zero or cuts off. *Moved* are numbers of tensors with
other bits after three epochs, as the script counts them from copies of its own (A / B); frostline was asked the same.
"""


def run(ask: Ask, follow: Follow) -> Iterator[Cell]:
    """All variants in both libraries."""
    for library in LIBRARIES:
        wanted = [variant for variant in VARIANTS if ONLY.get(variant, library) == library]
        for variant in follow(wanted, f"the article, {library}"):
            yield _cell(library, variant)


def _cell(library: str, variant: str) -> Cell:
    cell = Cell("article", variant, library, sum(PARTS.values()), held=PARTS.get(VARIANTS[variant], 0))
    try:
        counted, record = _observed(library, variant)
    except (subprocess.CalledProcessError, ValueError) as error:
        cell.refused = first_line(error)
        return cell
    cell.rules = sorted({finding.code for finding in record.findings if finding.severity != "note"})
    cell.moved, cell.broken = sum(counted.values()), counted.get(VARIANTS[variant], 0)
    cell.idle = sum(PARTS.values()) - cell.held - (cell.moved - cell.broken)
    cell.facts = {"counted": counted}
    seen = {part: _moved(record, part) for part in PARTS}
    if seen != counted:
        cell.doubts.append(f"frostline saw {seen}, the script {counted}")
    if cell.contradicts and not cell.rules:
        cell.doubts.append("no finding explains it")
    return cell


def _observed(library: str, variant: str) -> tuple[dict[str, int], Record]:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "run.json"
        words = ["-m", "frostline", "run", "--quiet", "--fail-on", "never", "--data", str(record), str(SCRIPT)]
        done = subprocess.run(
            [sys.executable, *words, library, variant],
            cwd=folder,
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout), judging.load(record)


def _moved(record: Record, part: str) -> int:
    """How many numbers of a part frostline saw move; a part may be in several trees."""
    rows = [row for row in record.tensors if part in row.name.split(".")]
    return sum(row.size for row in rows if row.changed.verdict == "yes")


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The page of the study, by file name."""
    lines = ["# The article's experiment in flax and equinox", "", opening, INTRODUCTION]
    lines += ["## Every variant", "", *_variants(cells)]
    return {"article_jax.md": "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"}


def _variants(cells: Sequence[Cell]) -> list[str]:
    rows = [
        [variant, cell.backend, *_told(cell)] for variant in VARIANTS for cell in cells if cell.situation == variant
    ]
    return table(["variant", "library", "moved (A / B)", "who was right"], rows)


def _told(cell: Cell) -> tuple[str, str]:
    if cell.refused:
        return "", f"no result: {cell.refused}"
    moved = " / ".join(f"{cell.facts['counted'][part]:,}" for part in PARTS)
    if cell.doubts:
        return moved, "**unexplained**"
    return moved, f"the bits: {cell.word}" if cell.contradicts else "what the script says"
