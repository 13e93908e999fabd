"""Tensors that moved and then stood still while their optimizer stepped: found with the step, its twin is quiet."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import frostline
from frostline.core.record import Record

STEPS = 64
LATE = 20


class Net(nn.Module):
    """Two layers and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Linear(8, 16), nn.Linear(16, 16)
        self.head, self.extra = nn.Linear(16, 2), nn.Linear(16, 2)


def losses(net: Net, step: int, *, cut: bool = False, extra: bool = True) -> torch.Tensor:
    rows = torch.randn(16, 8, dtype=net.stem.weight.dtype)
    hidden = torch.tanh(net.stem(rows))
    hidden = torch.tanh(net.body(hidden.detach() if cut else hidden))
    loss = (net.head(hidden) - rows[:, :2]).square().mean()
    return loss + (net.extra(hidden) - rows[:, 2:4]).square().mean() if extra else loss


def run(
    change: Callable[[Net, torch.optim.Optimizer, int], torch.Tensor], dtype: Any = None, steps: int = STEPS
) -> Record:
    """A training of which ``change`` makes the loss of each step and may do more; gradients are there by then."""
    torch.manual_seed(0)
    net = Net().to(dtype)
    groups = [{"params": list(layer.parameters())} for layer in net.children()]
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.5)
    with frostline.watch(net, optimizer) as seen:
        for step in range(steps):
            optimizer.zero_grad()
            change(net, optimizer, step)
            optimizer.step()
    return seen.report.record


def healthy(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step).backward()


def cut_off(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step, cut=step >= LATE).backward()


def term_left_out(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step, extra=step < LATE).backward()


def rate_of_a_group(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step).backward()
    optimizer.param_groups[1]["lr"] *= step < LATE


def clipped_to_nothing(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step).backward()
    for parameter in net.body.parameters() if step >= LATE else ():
        parameter.grad.zero_()
        optimizer.state[parameter].clear()


def rate_too_small(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    losses(net, step).backward()
    for group in optimizer.param_groups:
        group["lr"] = 0.05 if step < LATE else 1e-9


@pytest.mark.parametrize(
    ("change", "dtype", "names", "reason"),
    [
        (cut_off, None, {"stem"}, "no gradient arrived"),
        (term_left_out, None, {"extra"}, "no gradient arrived"),
        (rate_of_a_group, None, {"body"}, "its learning rate was 0"),
        (clipped_to_nothing, None, {"body"}, "its gradient was zero"),
        (
            rate_too_small,
            torch.bfloat16,
            {"stem", "body", "head", "extra"},
            "its updates are lost in rounding in bfloat16",
        ),
    ],
)
def test_what_stops_is_found_with_the_step(change: Any, dtype: Any, names: set[str], reason: str) -> None:
    findings = run(change, dtype).findings
    found = [each for each in findings if each.code == "L2"]
    assert {name.split(".")[1] for each in found for name in each.tensors} == names
    assert {each.severity for each in found} == {"warning"}
    assert all(each.message.endswith(reason) for each in found)
    assert {(each.evidence["moved_until_step"], each.evidence["still_since_step"]) for each in found} == {(16, 32)}
    assert findings == found


def test_a_run_that_ends_between_two_checks_is_judged_to_its_end() -> None:
    (found,) = run(cut_off, steps=59).findings
    assert "since step 32, in the last 27 steps" in found.message


def test_everything_that_stops_is_an_error() -> None:
    def frozen_loss(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
        if step < LATE:
            healthy(net, optimizer, step)

    (found,) = run(frozen_loss).findings
    assert (found.code, found.severity, len(found.tensors)) == ("L2", "error", 8)


# Healthy


def cosine(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    healthy(net, optimizer, step)
    for group in optimizer.param_groups:
        group["lr"] = 0.05 * (1 + math.cos(math.pi * step / (STEPS - 1))) / 2


def in_turn(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    """The extra head gets a gradient at every other step only; none of these steps is a check."""
    losses(net, step, extra=step % 2 == 0).backward()


def shortly(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    """A head that is left out for less than a third of the steps."""
    losses(net, step, extra=step < STEPS - 8).backward()


@pytest.mark.parametrize("change", [healthy, cosine, in_turn, shortly])
def test_what_goes_on_is_quiet(change: Any) -> None:
    assert run(change).findings == []


def test_what_has_converged_in_full_precision_is_excused_with_the_size_of_its_updates() -> None:
    def converging(net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
        healthy(net, optimizer, step)
        for group in optimizer.param_groups:
            group["lr"] = 0.05 if step < LATE else 1e-12

    record = run(converging)
    assert record.findings == []
    assert {(each.law, each.excuse) for each in record.excused} == {("L2", "converged")}
    assert all("of the last place of float32" in each.proof for each in record.excused)


def test_an_optimizer_of_an_earlier_phase_has_done_its_work() -> None:
    torch.manual_seed(0)
    net = Net()
    first = torch.optim.SGD([*net.stem.parameters(), *net.body.parameters()], lr=0.05)
    second = torch.optim.SGD([*net.head.parameters(), *net.extra.parameters()], lr=0.05)
    with frostline.watch(net, first, second) as seen:
        for step in range(STEPS):
            net.zero_grad()
            losses(net, step).backward()
            (first if step < LATE else second).step()
    assert [each for each in seen.report.record.findings if each.code == "L2"] == []


def test_an_expert_that_is_no_longer_chosen_and_rows_that_no_batch_names_are_excused() -> None:
    torch.manual_seed(0)
    net = nn.ModuleDict(
        {
            "table": nn.Embedding(8, 4),
            "kinds": nn.Embedding(2, 4),
            "experts": nn.ModuleList(nn.Linear(4, 4) for _ in range(2)),
            "out": nn.Linear(4, 1),
        }
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with frostline.watch(net, optimizer) as seen:
        for step in range(STEPS):
            optimizer.zero_grad(set_to_none=False)
            hidden = net["table"](torch.randint(8, (16,)))
            hidden = hidden + net["kinds"](torch.zeros(16, dtype=torch.long)) if step < LATE else hidden
            hidden = net["experts"][step % 2 if step < LATE else 0](hidden)
            (net["out"](hidden) - 1).square().mean().backward()
            optimizer.step()
    record = seen.report.record
    assert record.findings == []
    assert {(each.tensor.split(".", 1)[1], each.excuse) for each in record.excused} == {
        ("kinds.weight", "unnamed rows"),
        ("experts.1.weight", "unrouted"),
        ("experts.1.bias", "unrouted"),
    }
