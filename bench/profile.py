"""Where the time of a look goes: Python calls and bytes of a quiet step and of a check, counted and not timed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch
from bench.quiet import LAYERS, model_and_optimizer
from bench.turns import Line

import frostline

PACKAGES = ("torch",)
PACKAGE = "/frostline/"
NAMED = {1: "the first check", 7: "a quiet step", 8: "the check at step 8"}


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    model, optimizer = model_and_optimizer()
    rows = 2 * LAYERS
    size = sum(parameter.nbytes for parameter in model.parameters())
    with frostline.watch(model, optimizer) as seen:
        calls = {}
        for step in range(1, 12):
            model(torch.zeros(1, 2)).sum().backward()
            counts = counted(optimizer.step)
            calls |= {NAMED[step]: counts} if step in NAMED else {}
            optimizer.zero_grad()
    record = seen.report.record
    for name, counts in calls.items():
        most = ", ".join(f"{what} {count:,}" for what, count in counts.most_common(3))
        total = sum(counts.values())
        per_tensor = total / rows
        yield Line(f"Python calls of {name}, {rows} tensors", f"{total:,}", most, f"{per_tensor:.2f} a tensor")
    yield Line(
        "bytes read over 11 steps and the end",
        f"{record.run.bytes_read:,}",
        f"{size:,} in the model",
        f"{record.run.bytes_read / size:.1f} reads",
    )


def counted(call: Callable[[], object]) -> Counter[str]:
    """How often each function of this package is called while ``call`` runs."""
    counts: Counter[str] = Counter()

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and PACKAGE in frame.f_code.co_filename:
            counts[f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_name}"] += 1

    sys.setprofile(seen)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counts
