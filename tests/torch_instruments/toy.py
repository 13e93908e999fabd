"""The toy model and the loop that these tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

import frostline
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record


class Toy(nn.Module):
    """A frozen block, a batch norm, a tied weight, an unused layer and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.frozen = nn.Linear(8, 8)
        self.norm = nn.BatchNorm1d(8)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embed.weight
        self.frozen.requires_grad_(False)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(torch.tanh(self.frozen(self.embed(words)))))


def train(
    model: nn.Module, optimizer: Any, batches: Iterable[Any], loss: Callable[..., torch.Tensor] | None = None
) -> None:
    """A plain loop: one step for each batch."""
    for batch in batches:
        optimizer.zero_grad()
        (loss or squares)(model, batch).backward()
        optimizer.step()


def squares(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """A loss that every output takes part in."""
    return (model(batch) - 1).square().mean()


def rows(steps: int = 8, width: int = 4) -> list[torch.Tensor]:
    """Batches of the width of a small linear model."""
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(16, width, generator=generator) for _ in range(steps)]


def words(steps: int = 8) -> list[torch.Tensor]:
    """Batches of words for the toy model."""
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(0, 12, (16,), generator=generator) for _ in range(steps)]


def tensor_row(record: Record, name: str) -> TensorRow:
    """The tensor with this name or alias."""
    return next(row for row in record.tensors if name in (row.name, *row.aliases))


def graver(record: Record) -> list[tuple[str, list[str]]]:
    """Findings above note, as (rule, names)."""
    return [(each.rule, each.tensors) for each in record.findings if each.severity != "note"]


def finding(record: Record, rule: str) -> Finding:
    """The one finding of this rule."""
    found = [each for each in record.findings if each.rule == rule]
    assert len(found) == 1, [(each.rule, each.tensors) for each in record.findings]
    return found[0]


def watched(train_it: Callable[[], Any], *objects: Any, **settings: Any) -> Record:
    """The record of running ``train_it`` under observation, with no error inside frostline."""
    with frostline.watch(*objects, **settings) as seen:
        train_it()
    assert seen.report.record.run.faults == []
    return seen.report.record
