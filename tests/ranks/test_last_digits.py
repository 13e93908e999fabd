"""Replicas that each process computes by itself round in their own way; what goes further than that is drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import frostline
from frostline.core.columns.replica import ReplicaSample
from frostline.core.record import Finding
from frostline.laws.causes.last_digits import Apart, Precision, distance
from frostline.run.combine import combine
from frostline.settings import Settings

if TYPE_CHECKING:
    import torch

pytestmark = pytest.mark.needs("torch")
HALF = Precision(2.0**-7, few=8.0, share=0.2)


def norms(dtype: str = "float32") -> torch.nn.Module:
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = [nn.Linear(8, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 32), nn.LayerNorm(32), nn.Linear(32, 2)]
    return nn.Sequential(*layers).to(getattr(torch, dtype))


def batches(seed: int, count: int, dtype: str = "float32") -> list[torch.Tensor]:
    import torch

    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(16, 8, generator=generator).to(getattr(torch, dtype)) for _ in range(count)]


def loss(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x) - x[:, :2].sin()).square().mean()


# Healthy: the same sums, in another order in the second process


def rows_in_another_order(rank: int, lr: float = 1e-3, dtype: str = "float32", steps: int = 40) -> torch.nn.Module:
    import torch

    model = norms(dtype)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    for x in batches(1, steps, dtype):
        optimizer.zero_grad()
        loss(model, x.flip(0) if rank else x).backward()
        optimizer.step()
    return model


def sums_that_begin_with_ones_own(rank: int) -> torch.nn.Module:
    import torch

    model = norms()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    for x in batches(1, 40):
        optimizer.zero_grad()
        parts = x.split(4)
        for part in range(4):  # the gradients of four micro-batches, its own first
            (loss(model, parts[(rank + part) % 4]) / 4).backward()
        optimizer.step()
    return model


def products_of_halves(rank: int) -> torch.nn.Module:
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 16), nn.LayerNorm(16), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for x in batches(1, 24):
        wide, first = x.repeat(1, 8), model[0]
        optimizer.zero_grad()
        split = wide[:, :32] @ first.weight[:, :32].T + wide[:, 32:] @ first.weight[:, 32:].T
        hidden = split + first.bias if rank else first(wide)
        model[1:](hidden).square().mean().backward()
        optimizer.step()
    return model


def steep(rank: int, dtype: str = "float32", seed: int = 0) -> torch.nn.Module:
    """A norm at the end, of whose output the loss is the length: next to no gradient, and steps as large as ever."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8), nn.LayerNorm(8))
    model.to(getattr(torch, dtype))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, foreach=False)
    torch.manual_seed(seed)
    for _ in range(6):
        x = torch.randn(8, 8).to(getattr(torch, dtype))
        optimizer.zero_grad()
        model(x.flip(0) if rank else x).square().sum().backward()
        optimizer.step()
    return model


HEALTHY = {
    "steep": steep,
    "rows in another order": rows_in_another_order,
    "sums that begin with one's own": sums_that_begin_with_ones_own,
    "products of halves": products_of_halves,
    "float64": lambda rank: rows_in_another_order(rank, dtype="float64"),
    "half precision": lambda rank: rows_in_another_order(rank, dtype="bfloat16"),
    "two steps in half precision": lambda rank: rows_in_another_order(rank, dtype="bfloat16", steps=2),
    "a learning rate for fine-tuning": lambda rank: rows_in_another_order(rank, lr=1e-5),
    "two steps": lambda rank: rows_in_another_order(rank, steps=2),
}


# Broken: what the second process does is something else


def tuned(
    rank: int, change: Callable[[Any, int], object], lr: float = 1e-5, data: int = 1, dtype: str = "float32"
) -> torch.nn.Module:
    """Trains on the same rows in another order; in the second process ``change`` is made before each step."""
    import torch

    model = norms(dtype)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    for step, x in enumerate(batches(data if rank else 1, 40, dtype)):
        optimizer.zero_grad()
        loss(model, x.flip(0) if rank else x).backward()
        if rank:
            change(model, step)
        optimizer.step()
    return model


def nothing(model: Any, step: int) -> None:
    pass


def one_norm_left_out(model: Any, step: int) -> None:
    model[1].bias.grad = None


def one_step_of_its_own(model: Any, step: int) -> None:
    if step == 20:
        for weight in model.parameters():
            weight.grad.neg_()


def one_value_of_its_own(model: Any, step: int) -> None:
    model[4].weight.grad[7] *= -1


def a_clip_of_its_own(model: Any, step: int) -> None:
    import torch

    torch.nn.utils.clip_grad_value_(model.parameters(), 1e-2)


def runaway(rank: int) -> torch.nn.Module:
    """The last digits of the first steps grow to other weights, as the learning rate is too large."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2), nn.Tanh())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for x in batches(1, 80):
        optimizer.zero_grad()
        loss(model, x.flip(0) if rank else x).backward()
        optimizer.step()
    return model


BROKEN = {
    "other data": lambda rank: tuned(rank, nothing, data=2),
    "other data at a tiny rate": lambda rank: tuned(rank, nothing, lr=1e-7, data=2),
    "one norm left out": lambda rank: tuned(rank, one_norm_left_out),
    "one step of its own": lambda rank: tuned(rank, one_step_of_its_own),
    "one value of its own": lambda rank: tuned(rank, one_value_of_its_own),
    "a clip of its own": lambda rank: tuned(rank, a_clip_of_its_own),
    "last digits that grow": runaway,
    "other data in half precision": lambda rank: tuned(rank, nothing, lr=1e-3, data=2, dtype="bfloat16"),
    "other data in half precision, steeply": lambda rank: steep(rank, dtype="bfloat16", seed=rank),
}


def found(train: Callable[[int], torch.nn.Module]) -> list[Finding]:
    """What two processes disagree on that train so, one after the other."""
    import torch  # noqa: F401  # before it is observed

    records = []
    for rank in range(2):
        with frostline.watch(settings=Settings(digests=True)) as seen:
            kept = train(rank)
        record = seen.report.record
        assert (record.run.faults, len(record.tensors)) == ([], sum(1 for _ in kept.parameters()))
        del kept  # the next process would know it as a copy that this one keeps
        records.append(replace(record, run=replace(record.run, rank=rank, world_size=2, complete=True)))
    return [finding for finding in combine(records).findings if finding.code == "R701"]


@pytest.mark.parametrize("way", HEALTHY)
def test_rounding_is_a_note_with_its_proof(way: str) -> None:
    findings = found(HEALTHY[way])
    assert {finding.severity for finding in findings} == {"note"}
    assert all(str(finding.evidence["excuse"]).startswith("last digits: their values are ") for finding in findings)


@pytest.mark.parametrize("way", BROKEN)
def test_drift_is_an_error(way: str) -> None:
    assert {finding.severity for finding in found(BROKEN[way])} == {"error"}


def test_the_values_of_processes_are_compared_after_the_same_steps() -> None:
    one = ReplicaSample(8, (1.0, 0.0), (1.0, 0.0), size=2.0, travelled=0.5)
    other = replace(one, earlier=(1.0, 2**-21), last=(1.0, 2**-20), travelled=0.25)
    assert distance(one, other, "float32") == Apart(4.0, 2.0, 8, 2**-18)
    assert distance(one, replace(other, step=4), "float32") is None
    assert distance(one, None, "float32") is None
    assert distance(one, other, "bfloat16") == Apart(4 * 2**-16, 2 * 2**-16, 8, 2**-18, HALF)
    assert distance(one, other, "float8_e5m2") is None
    assert distance(one, replace(other, travelled=0.0), "float32") is None


@pytest.mark.parametrize(
    ("apart", "is_rounding"),
    [
        (Apart(16.0, 0.0, 0, 0.0), True),
        (Apart(16.1, 0.0, 0, 0.0), False),  # grew
        (Apart(32.0, 4.0, 4, 0.0), True),
        (Apart(32.1, 32.0, 4, 0.0), False),  # more than a few
        (Apart(1.0, 1.0, 4, 0.02), False),  # moved hardly further than that
        (Apart(8.0, 0.0, 0, 0.2, HALF), True),
        (Apart(8.1, 8.0, 4, 0.0, HALF), False),
        (Apart(1.0, 1.0, 4, 0.21, HALF), False),
    ],
)
def test_a_few_units_that_do_not_grow_are_rounding(apart: Apart, is_rounding: bool) -> None:
    assert (apart.rounding() is not None) is is_rounding
