"""What it costs at a check to see that trained tensors go on moving: a sample of each before and after the step.

The tensors are 256 of 1 MiB, all of which were seen to move. One of which a step moved no sample would be read as a
whole. Time is that of the thread, in what takes the samples.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from bench.turns import Line

import frostline
from frostline.observe.checks.going_on import GoingOn

PACKAGES = ("torch", "xxhash")
TENSORS, WIDTH, CHECKS = 256, 512, 9
SIZE = TENSORS * WIDTH * WIDTH * 4
MOST = 0.05  # of the bytes


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    taken, read = checks()
    own = 2 * statistics.median(taken)
    each = f"{own / TENSORS * 1e6:.0f} µs a tensor"
    yield Line(
        f"samples of {TENSORS} tensors before and after a step", f"{own * 1e3:.1f} ms", f"{SIZE >> 20} MiB", each
    )
    part = read / SIZE
    goal = f"≤ {MOST:.0%}"
    yield Line("bytes read for them at a check", f"{read:,.0f}", f"{SIZE:,}", f"{part:.2%}", goal, part <= MOST)


def checks() -> tuple[list[float], float]:
    """The seconds that taking samples needed, each time, and the bytes read for those of one check."""
    parameters = torch.nn.ParameterList(torch.zeros(WIDTH, WIDTH) for _ in range(TENSORS))
    optimizer = torch.optim.SGD(parameters, lr=1e-3)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    taken: list[float] = []

    def timed(method: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:
            began = time.thread_time()
            method(*args)
            taken.append(time.thread_time() - began)

        return call

    before, after = timed(GoingOn.before_step), timed(GoingOn.after_step)
    patched = mock.patch.multiple(GoingOn, before_step=before, after_step=after)
    with patched, frostline.watch(parameters, optimizer, check_every=1) as seen:
        for _ in range(1 + CHECKS):
            optimizer.step()
    read = seen.report.record.run.bytes_read - 3 * SIZE  # found, and around the first step
    return taken[2:], read / CHECKS
