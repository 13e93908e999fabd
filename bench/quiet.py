"""A step that is no check, beside models of 300 to 100,000 tensors: what the hooks around `optimizer.step` take.

The step is that of an optimizer of one tensor beside that of the model, so that hardly anything but the hooks is left.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch
from bench.turns import Line

import frostline

PACKAGES = ("torch", "wrapt")
SIZES, STEPS, ROUNDS = (300, 10_000, 100_000), 100, 9
LAYERS = 150  # of which the smallest model is made
PAST = 1030  # steps: the next check is at 2,048
MOST = 25e-6


def model_and_optimizer(layers: int = LAYERS) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A model of two tensors a layer, and what trains it."""
    model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(layers)))
    return model, torch.optim.SGD(model.parameters(), lr=1e-3)


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    for tensors in SIZES:
        model, optimizer = model_and_optimizer(tensors // 2)
        beside = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1e-3)
        without = [_step(beside) for _ in range(ROUNDS)]
        with frostline.watch(model, optimizer, beside):
            model[:2](torch.zeros(1, 2)).sum().backward()  # type: ignore[index]
            optimizer.step()
            optimizer.zero_grad()
            for _ in range(PAST):
                beside.step()
            watched = [_step(beside) for _ in range(ROUNDS)]
        own = min(watched) - min(without)
        yield Line(
            f"a quiet step, {tensors:,} tensors, beyond the step itself",
            f"{own * 1e6:.0f} µs",
            f"{min(without) * 1e6:.0f} µs for the step",
            "",
            f"≤ {MOST * 1e6:.0f} µs",
            own <= MOST,
        )


def _step(optimizer: torch.optim.Optimizer) -> float:
    """Median seconds of one step."""
    taken = []
    for _ in range(STEPS):
        started = time.perf_counter()
        optimizer.step()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
