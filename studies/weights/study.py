"""Weights files of published packages: what frostline reads of them, and what the owner of each format does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

from studies.asking import Ask
from studies.cells import Cell, first_line
from studies.progress import Follow
from studies.tables import table
from studies.weights.examining import examined
from studies.weights.files import FILES

PLACE = Path(os.environ.get("WEIGHTS", ".weights"))
INTRODUCTION = """
The packages are installed without what they need into a folder of their own, and none of them is imported. Of every
file: all arrays that the library which owns the format reads are there with the same type, shape and bytes; one bit
turned over in a copy is found by `diff` and `verify`; a plain copy is the same to both. frostline reads more than the
owner gives where a file holds more than arrays: scales, graphs, single numbers. `beside` counts those.
"""


def run(_ask: Ask, follow: Follow) -> Iterator[Cell]:
    """A cell for each file."""
    versions = {each.metadata["Name"]: each.version for each in distributions(path=[str(PLACE)])}
    for weights in follow(FILES, "weights"):
        cell = Cell(weights.place, weights.owner, weights.distribution)
        cell.facts["version"] = versions.get(weights.distribution, "")
        try:
            path = next(PLACE.glob(weights.place))
            found = examined(weights, path)
        except StopIteration:
            cell.refused = f"{weights.distribution} is not in {PLACE}: make studies installs it"
        except Exception as error:
            cell.doubts = [first_line(error)]
        else:
            cell.doubts = found.doubts
            cell.facts |= {"kind": found.kind, "digest": found.digest, "bytes": found.size}
            cell.facts |= {"tensors": found.tensors, "equal": found.equal}
        yield cell


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The page of the study."""
    read = [cell for cell in cells if not cell.refused and not cell.doubts]
    formats = {cell.situation for cell in read}
    rows = [
        (
            f"`{cell.subject}`",
            f"{cell.backend} {cell.facts.get('version', '')}",
            cell.situation,
            f"{cell.facts.get('equal', 0):,}",
            f"{cell.facts.get('tensors', 0) - cell.facts.get('equal', 0):,}",
            f"`{cell.facts.get('digest', '')[:16]}`",
            cell.refused or "; ".join(cell.doubts) or "equal, change found, verified",
        )
        for cell in cells
    ]
    heads = ("file", "package", "format", "arrays equal", "beside", "SHA-256", "result")
    lines = ["# Weights of published packages", "", opening, INTRODUCTION]
    lines += [f"{len(read)} of {len(cells)} files, {len(formats)} forms.", "", *table(heads, rows)]
    return {"weights.md": "\n".join(lines) + "\n"}
