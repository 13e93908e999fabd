"""Runs a plan with PyTorch, and copies every tensor around every step."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from oracle.plans import Kind, Norm, Plan

WIDTH = 4
BATCH = 8


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor at one moment: its bytes, and the flag of a parameter."""

    content: bytes
    trainable: bool | None


Moment = dict[str, Tensor]


@dataclass(slots=True)
class Copies:
    """What every tensor was: before the first step, before and after each, and at the end."""

    moments: list[Moment] = field(default_factory=list)
    held: list[set[str]] = field(default_factory=list)  # by each optimizer

    def take(self, model: nn.Module) -> None:
        """Copy all tensors of the model as they are now."""
        flags = {name: each.requires_grad for name, each in model.named_parameters()}
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        self.moments.append(
            {name: Tensor(each.detach().numpy().tobytes(), flags.get(name)) for name, each in tensors.items()}
        )


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
        self.online = nn.Sequential(*parts)
        self.head = nn.Linear(WIDTH, 2)
        if plan.average is not None:
            self.target = copy.deepcopy(self.online).requires_grad_(False).eval()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.online(batch))
        return result

    def parts(self) -> list[Part]:
        """The blocks."""
        return [part for part in self.online if isinstance(part, Part)]


def run(plan: Plan, copies: Copies) -> None:
    """Train as the plan says, mutations and all."""
    torch.manual_seed(plan.seed)
    model = Network(plan)
    for part, block in zip(model.parts(), plan.blocks, strict=True):
        part.requires_grad_(not block.frozen)
    _set_modes(model, plan)
    optimizers = list(_optimizers(model, plan))
    names = {id(each): name for name, each in model.named_parameters()}
    copies.held = [{names[id(each)] for group in one.param_groups for each in group["params"]} for one in optimizers]
    rates = [one.param_groups[0]["lr"] for one in optimizers]
    copies.take(model)
    for step in range(plan.steps):
        _before(model, plan, step)
        loss = _loss(model, plan)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=plan.has("zero gradient") is None)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        _between(model, plan, step)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * _factor(plan, step)
            copies.take(model)
            optimizer.step()
            copies.take(model)
        _follow(model, plan)
    copies.take(model)


def _set_modes(model: Network, plan: Plan) -> None:
    model.train()
    if plan.average is not None:
        model.target.eval()
    for index, (part, block) in enumerate(zip(model.parts(), plan.blocks, strict=True)):
        if (block.frozen and plan.has("in training", index) is None) or plan.has("left in eval"):
            part.eval()


def _optimizers(model: Network, plan: Plan) -> Iterator[torch.optim.Optimizer]:
    shares: list[list[nn.Parameter]] = [[] for _ in range(plan.optimizers)]
    for index, part in enumerate(model.parts()):
        if plan.has("leave out", index) is None:
            shares[index % plan.optimizers] += [each for each in part.parameters() if each.requires_grad or plan.listed]
    shares[-1] += list(model.head.parameters())
    for share in shares:
        if any(each.requires_grad for each in share):
            yield _optimizer(plan.kind, share)


def _optimizer(kind: Kind, share: list[nn.Parameter]) -> torch.optim.Optimizer:
    match kind:
        case "sgd":
            return torch.optim.SGD(share, 0.1)
        case "momentum":
            return torch.optim.SGD(share, 0.05, momentum=0.9)
        case "decay":
            return torch.optim.SGD(share, 0.1, weight_decay=0.01)
        case "adam":
            return torch.optim.Adam(share, 0.01)
    return torch.optim.AdamW(share, 0.01, weight_decay=0.1)


def _loss(model: Network, plan: Plan) -> torch.Tensor:
    batch = torch.randn(BATCH, WIDTH)
    answers = model(batch)
    loss: torch.Tensor = (answers * 0).sum() if plan.has("no loss") else (answers - 1).square().mean()
    return loss


def _factor(plan: Plan, step: int) -> float:
    """What the schedule makes of the rate at a step."""
    stopped = plan.has("rate zero")
    if stopped is not None and step >= stopped.step:
        return 0.0
    match plan.schedule:
        case "warm-up":
            return min(1.0, step / 3)
        case "to zero":
            return 1 - (step + 1) / plan.steps
    return 1.0


def _before(model: Network, plan: Plan, step: int) -> None:
    """What the script does before a step."""
    parts = model.parts()
    for mutation in plan.mutations:
        if mutation.step != step:
            continue
        if mutation.what == "write":
            with torch.no_grad():
                parts[mutation.block].linear.weight.add_(0.01)
        elif mutation.what == "zero gradient":
            parts[mutation.block].requires_grad_(False)


def _between(model: Network, plan: Plan, step: int) -> None:
    """What the script does between the backward pass and the step."""
    for mutation in plan.mutations:
        if mutation.what == "stale gradient" and mutation.step == step:
            model.parts()[mutation.block].requires_grad_(False)


@torch.no_grad()
def _follow(model: Network, plan: Plan) -> None:
    if plan.average is None:
        return
    for mine, theirs in zip(model.target.parameters(), model.online.parameters(), strict=True):
        mine.lerp_(theirs, plan.average)
    for kept, statistic in zip(model.target.buffers(), model.online.buffers(), strict=True):
        kept.copy_(statistic)
