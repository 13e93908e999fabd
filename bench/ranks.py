"""Putting the records of many ranks together: written as runs write them, of tensors that all ranks hold alike.

A rank's record holds the facts of a run with eight checks; what it takes to combine them grows with tensors × ranks,
the memory with the tensors alone. The last line is the same for tensors of which each rank holds a part.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.turns import Line, note, process

from frostline.core.columns.part import Part
from frostline.core.columns.replica import ReplicaSample
from frostline.core.facts import (
    BaselineTaken,
    Compared,
    DigestsTaken,
    FlagDeclared,
    GradientsSeen,
    Held,
    Moved,
    OptimizerChecked,
    OptimizerFound,
    ReplicaSampled,
    TensorFound,
)
from frostline.core.journal import Journal
from frostline.core.run import Run
from frostline.core.storage.run_file import RunFile, Seal
from frostline.version import __version__

PACKAGES = ("msgspec",)
RUNS = ((64, 10_000, False), (1_000, 723, False), (64, 10_000, True))  # ranks, tensors, whether each holds a part
SECONDS, MEMORY = 30, 1024  # the latter in MiB
WIDTH = 1 << 16
CHECKS = (1, 2, 4, 8, 16, 32, 64, 128)
SAMPLE = ReplicaSample(64, (0.1234567890123456,) * 4, (0.6543210987654321,) * 4, 0.1234567890123456, 0.01234567890123)


def measure() -> Iterator[Line]:
    for ranks, tensors, are_parts in RUNS:
        what = "parts of tensors" if are_parts else "tensors"
        note(f"{ranks:,} ranks of {tensors:,} {what}")
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "run-20260101-000000-bench"
            folder.mkdir()
            write_records(folder, ranks, tensors, are_parts)
            seen = process(
                [sys.executable, "-m", "frostline", "combine", str(folder), "--fail-on", "never"], folder.parent, {}
            )
        yield Line(
            f"{ranks:,} ranks × {tensors:,} {what}",
            f"{seen.cpu:.1f} s of processor time, {seen.peak_mib:,.0f} MiB",
            f"{seen.wall:.1f} s by the clock",
            f"{seen.cpu / ranks / tensors * 1e6:.0f} µs for each",
            f"≤ {SECONDS} s, ≤ {MEMORY:,} MiB",
            seen.cpu <= SECONDS and seen.peak_mib <= MEMORY,
        )


def write_records(folder: Path, ranks: int, tensors: int, are_parts: bool) -> None:
    """The records of all ranks: half of the tensors are frozen, the others moved at the first step."""
    length = WIDTH // ranks
    first = folder / "rank-0.json"
    _write_first(first, ranks, tensors, Part(_place(0, length), length) if are_parts else None)
    content = first.read_bytes()
    for rank in range(1, ranks):
        own = content.replace(b'"rank":0', b'"rank":%d' % rank)
        own = own.replace(_place(0, length).encode(), _place(rank, length).encode())
        (folder / f"rank-{rank}.json").write_bytes(own)


def _place(rank: int, length: int) -> str:
    return f"values {rank * length}:{(rank + 1) * length}"


def _write_first(path: Path, ranks: int, tensors: int, part: Part | None) -> None:
    journal = Journal()
    tell, frozen = journal.tell, tensors // 2
    for tensor in range(tensors):
        tell(
            TensorFound(
                tensor=tensor,
                framework="torch",
                name=f"model.layers.{tensor // 9}.part_{tensor % 9}.weight",
                model="model",
                kind="parameter",
                shape=(256, 256),
                dtype="float32",
                bytes=4 * WIDTH,
                size=WIDTH,
                owner=f"layers.{tensor // 9}.part_{tensor % 9}",
                owner_type="Linear",
                sharded=part is not None,
                part=part,
            )
        )
        tell(FlagDeclared(tensor=tensor, flag=tensor >= frozen))
        tell(BaselineTaken(tensor=tensor, blocks=1))
    tell(OptimizerFound(optimizer="optimizer", kind="optimizer", name="AdamW"))
    trained = tuple(range(frozen, tensors))
    tell(Held(optimizer="optimizer", tensors=trained, group=0, lr=1e-3, max_lr=1e-3, weight_decay=0.01, state=True))
    for step in CHECKS:
        tell(GradientsSeen(gradient="nonzero", tensors=trained, optimizer="optimizer"))
        tell(Compared(step=step, tensors=tuple(range(tensors)) if step == 1 else tuple(range(frozen))))
        tell(OptimizerChecked(optimizer="optimizer", executed=step, step=step, lr=1e-3))
    for tensor in range(tensors):
        if tensor >= frozen:
            tell(
                Moved(
                    tensor=tensor,
                    move=tensor,
                    place="step",
                    since=1,
                    until=1,
                    optimizer="optimizer",
                    trainable=True,
                    gradient="nonzero",
                    lr=1e-3,
                    blocks=1,
                    blocks_moved=1,
                )
            )
        last = f"{tensor:032x}" if tensor < frozen else f"{tensor + tensors:032x}"
        tell(DigestsTaken(tensor=tensor, first=f"{tensor:032x}", last=last))
        if tensor >= frozen and part is None:
            tell(ReplicaSampled(tensor=tensor, sample=SAMPLE))
    run = Run(["train.py"], rank=0, world_size=ranks, steps=CHECKS[-1], complete=True, exit=0, id=path.parent.name)
    RunFile(path, journal, __version__).append(run, Seal([]))
