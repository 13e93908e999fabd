"""A step that is no check, on a tiny model of 300 tensors: what the hooks around `optimizer.step` take.

The step itself is that of a fused optimizer without gradients, so that hardly anything but the hooks is left.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch
from bench.turns import Line

import frostline

PACKAGES = ("torch", "wrapt")
LAYERS, STEPS, ROUNDS = 150, 400, 7


def model_and_optimizer() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(LAYERS)))
    return model, torch.optim.SGD(model.parameters(), lr=1e-3)


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    model, optimizer = model_and_optimizer()
    without = [_steps(optimizer) for _ in range(ROUNDS)]
    with frostline.watch(model, optimizer):
        model(torch.zeros(1, 2)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        while _executed(optimizer) < 520:  # past the check at step 512: the next one is at 1,024
            optimizer.step()
        watched = [_steps(optimizer, STEPS // ROUNDS) for _ in range(ROUNDS)]
    own = statistics.median(watched) - statistics.median(without)
    yield Line(
        f"a quiet step, {2 * LAYERS} tensors, beyond the step itself",
        f"{own * 1e6:.0f} µs",
        f"{statistics.median(without) * 1e6:.0f} µs for the step",
        "",
        "≤ 50 µs",
        own <= 50e-6,
    )


_count: dict[int, int] = {}


def _executed(optimizer: torch.optim.Optimizer) -> int:
    _count[id(optimizer)] = _count.get(id(optimizer), 0) + 1
    return _count[id(optimizer)]


def _steps(optimizer: torch.optim.Optimizer, count: int = STEPS) -> float:
    """Median seconds of one step."""
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        optimizer.step()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
