"""How many bytes a run reads in all: a frozen backbone with a trained head, over 10 to 10,000 steps.

Checks come at steps 1, 2, 4, 8, …, and trained tensors are settled by their first change, so ten times the steps cost
three or four more reads of what is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from bench.turns import Line, note

import frostline

PACKAGES = ("torch",)
LENGTHS = (10, 100, 1_000, 10_000)
MOST_PER_TENFOLD = 8  # two reads at each of the three or four checks between


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    before = None
    for steps in LENGTHS:
        note(f"{steps:,} steps")
        read, frozen = bytes_read(steps)
        more = (read - before) / frozen if before is not None else None
        yield Line(
            f"bytes read over {steps:,} steps",
            f"{read / 2**20:.1f} MiB",
            f"{frozen / 2**20:.1f} MiB frozen",
            f"{read / frozen:.1f} reads of it",
            "" if more is None else f"≤ {MOST_PER_TENFOLD} more reads than before",
            None if more is None else more <= MOST_PER_TENFOLD,
        )
        before = read


def bytes_read(steps: int) -> tuple[int, int]:
    """What a run of that length reads, and the bytes of its frozen tensors."""
    torch.manual_seed(0)
    backbone, head = torch.nn.Linear(256, 256), torch.nn.Linear(256, 2)
    backbone.requires_grad_(False)
    model = torch.nn.Sequential(backbone, head)
    optimizer = torch.optim.SGD(head.parameters(), lr=1e-3)
    rows = torch.randn(2, 256)
    with frostline.watch(model, optimizer) as seen:
        for _ in range(steps):
            optimizer.zero_grad()
            model(rows).square().mean().backward()
            optimizer.step()
    record = seen.report.record
    frozen = sum(row.bytes for row in record.tensors if row.declared.trainable is False)
    return record.run.bytes_read, frozen
