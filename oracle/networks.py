"""The network of a plan, with PyTorch."""

from __future__ import annotations

import copy

import torch
from torch import nn

from oracle.plans import Norm, Plan

WIDTH = 4
BATCH = 8


class Part(nn.Module):
    """One block of a plan."""

    def __init__(self, norm: Norm, cut: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.norm = _norm(norm)
        self.cut = cut

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        result = torch.tanh(self.norm(self.linear(batch)))
        return result.detach() if self.cut else result


def _norm(kind: Norm) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm1d(WIDTH)
    return nn.LayerNorm(WIDTH) if kind == "layer" else nn.Identity()


class Network(nn.Module):
    """The blocks of a plan in a row, a head, and the average of the blocks where there is one."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        cuts = [plan.has("cut", index) is not None for index in range(len(plan.blocks))]
        parts = [Part(block.norm, cut) for block, cut in zip(plan.blocks, cuts, strict=True)]
        if plan.tied:
            parts[plan.trained[-1]].linear = parts[plan.trained[0]].linear
        self.online = nn.Sequential(*parts)
        self.head = nn.Linear(WIDTH, 2)
        self.to(getattr(torch, plan.dtype))
        if plan.average is not None:
            self.target = copy.deepcopy(self.online).requires_grad_(False).eval()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.online(batch))
        return result

    def parts(self) -> list[Part]:
        """The blocks."""
        return [part for part in self.online if isinstance(part, Part)]

    def set_modes(self, plan: Plan) -> None:
        """Training mode, but for the average, frozen blocks and what is left in eval."""
        self.train()
        if plan.average is not None:
            self.target.eval()
        for index, (part, block) in enumerate(zip(self.parts(), plan.blocks, strict=True)):
            if (block.frozen and plan.has("in training", index) is None) or plan.has("left in eval"):
                part.eval()
