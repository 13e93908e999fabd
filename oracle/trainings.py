"""Runs a plan with PyTorch, and copies every tensor around every step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn

from oracle.copies import Copies, Moment, Step, Tensor
from oracle.networks import BATCH, WIDTH, Network
from oracle.plans import Kind, Plan

TYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16", torch.int64: "int64"}
State = Mapping[str, torch.Tensor]


def run(plan: Plan, copies: Copies) -> None:
    """Train as the plan says, mutations and all."""
    torch.manual_seed(plan.seed)
    model = Network(plan)
    for part, block in zip(model.parts(), plan.blocks, strict=True):
        part.requires_grad_(not block.frozen)
    model.set_modes(plan)
    optimizers = list(_optimizers(model, plan))
    _replace(model, plan)
    names = {id(each): name for name, each in model.named_parameters()}
    copies.held = [[names.get(id(each), "") for each in _parameters_of(one)] for one in optimizers]
    first, put_back = deepcopy(model.state_dict()), plan.has("put back")
    kept = first
    copies.take(_moment(model))
    with tempfile.TemporaryDirectory() as folder:
        for step in range(plan.steps):
            _round(model, plan, optimizers, step, copies)
            copies.rounds.append(copies.take(_moment(model)))
            if put_back is not None and step + 1 == put_back.step:
                kept = deepcopy(model.state_dict())
            if plan.saving == "twice" and step == plan.steps // 2:
                _save(model.state_dict(), Path(folder, f"step{step}.pt"), model, copies)
        if put_back is not None:
            model.load_state_dict(kept)
        if plan.saving != "none":
            _save(_chosen(model, plan, first), Path(folder, "last.pt"), model, copies)
        copies.take(_moment(model))


def _round(model: Network, plan: Plan, optimizers: list[torch.optim.Optimizer], step: int, copies: Copies) -> None:
    """One step of each optimizer."""
    _before(model, plan, step)
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=plan.has("zero gradient") is None)
    for _ in range(plan.accumulate):
        loss = _loss(model, plan)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
    _between(model, plan, step)
    for index, optimizer in enumerate(optimizers):
        for group in optimizer.param_groups:
            group["lr"] = optimizer.defaults["lr"] * _factor(plan, step)
        if plan.has("no steps"):
            continue
        before = copies.take(_moment(model))
        optimizer.step()
        copies.steps.append(Step(index, before, copies.take(_moment(model))))
    _follow(model, plan)


def _moment(model: nn.Module) -> Moment:
    """All tensors of the model as they are now."""
    flags = {name: each.requires_grad for name, each in model.named_parameters()}
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: Tensor(_bytes(each), flags.get(name), TYPES[each.dtype]) for name, each in tensors.items()}


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes()


def _parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [each for group in optimizer.param_groups for each in group["params"]]


def _optimizers(model: Network, plan: Plan) -> Iterator[torch.optim.Optimizer]:
    shares: list[dict[nn.Parameter, None]] = [{} for _ in range(plan.optimizers)]
    given: set[nn.Parameter] = set()
    for index, part in enumerate(model.parts()):
        if plan.has("leave out", index) is None:
            new = [each for each in part.parameters() if each not in given and (each.requires_grad or plan.listed)]
            shares[index % plan.optimizers] |= dict.fromkeys(new)
            given |= {*new}
        if plan.has("held twice", index) is not None:
            shares[(index + 1) % plan.optimizers] |= dict.fromkeys(part.parameters())
    shares[-1] |= dict.fromkeys(model.head.parameters())
    for share in shares:
        if any(each.requires_grad for each in share):
            yield _optimizer(plan.kind, [*share])
    if plan.has("foreign optimizer") is not None:
        yield _optimizer(plan.kind, [*deepcopy(model.head).parameters()])


def _optimizer(kind: Kind, share: list[nn.Parameter]) -> torch.optim.Optimizer:
    match kind:
        case "sgd":
            return torch.optim.SGD(share, 0.1)
        case "momentum":
            return torch.optim.SGD(share, 0.05, momentum=0.9)
        case "decay":
            return torch.optim.SGD(share, 0.1, weight_decay=0.01)
        case "adam":
            return torch.optim.Adam(share, 0.01, eps=_smallest(share))
    return torch.optim.AdamW(share, 0.01, weight_decay=0.1, eps=_smallest(share))


def _smallest(share: list[nn.Parameter]) -> float:
    """What Adam adds so as not to divide by zero; the usual 1e-8 is zero in half precision."""
    return 1e-4 if share[0].dtype == torch.float16 else 1e-8


def _replace(model: Network, plan: Plan) -> None:
    """Parameters are made anew after the optimizer was given the former ones."""
    replaced = plan.has("replace")
    if replaced is not None:
        linear = model.parts()[replaced.block].linear
        linear.weight, linear.bias = nn.Parameter(linear.weight.detach().clone()), nn.Parameter(linear.bias + 0)


def _loss(model: Network, plan: Plan) -> torch.Tensor:
    batch = torch.randn(BATCH, WIDTH).to(getattr(torch, plan.dtype))
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
    for mutation in plan.mutations:
        if mutation.step != step:
            continue
        weight = model.parts()[mutation.block].linear.weight
        match mutation.what:
            case "write":
                with torch.no_grad():
                    weight.add_(0.01)
            case "write by data":
                weight.data = weight.data + 0.01
            case "write by numpy":
                weight.detach().view(torch.uint8).numpy()[0, 0] ^= 1
            case "undone write":
                _write_and_undo(weight)
            case "zero gradient":
                model.parts()[mutation.block].requires_grad_(False)


@torch.no_grad()
def _write_and_undo(weight: torch.Tensor) -> None:
    former = weight.clone()
    weight.zero_()
    weight.copy_(former)


def _between(model: Network, plan: Plan, step: int) -> None:
    """What the script does between the backward pass and the step."""
    for mutation in plan.mutations:
        if mutation.what == "stale gradient" and mutation.step == step:
            model.parts()[mutation.block].requires_grad_(False)
        if mutation.what == "take gradient":
            for parameter in model.parts()[mutation.block].parameters():
                parameter.grad = None


@torch.no_grad()
def _follow(model: Network, plan: Plan) -> None:
    if plan.average is None:
        return
    for mine, theirs in zip(model.target.parameters(), model.online.parameters(), strict=True):
        mine.lerp_(theirs, plan.average)
    for kept, statistic in zip(model.target.buffers(), model.online.buffers(), strict=True):
        kept.copy_(statistic)


def _chosen(model: Network, plan: Plan, first: State) -> State:
    """What the script writes at the end."""
    part, state = plan.has("save a part"), model.state_dict()
    if plan.has("save older") is not None:
        return first
    if part is not None:
        return {name: each for name, each in state.items() if not name.startswith(f"online.{part.block}.")}
    return state


def _save(state: State, path: Path, model: nn.Module, copies: Copies) -> None:
    """Write a state; what is in the file of two tied layers is in it by either name."""
    torch.save(dict(state), path)
    first = {id(each): name for name, each in model.named_parameters()}
    names = {name: first[id(each)] for name, each in model.named_parameters(remove_duplicate=False)}
    written = {names.get(name, name): _bytes(each) for name, each in state.items()}
    copies.written.append((copies.take(_moment(model)), written))
