"""Parameters that a script puts in the place of others during the run, and optimizers that keep to the former ones."""

import pytest
import torch
from torch import nn
from toy import finding, graver

import frostline


def train(after, steps=20):
    """Train two layers; ``after`` is called after each step with its number, the model and the optimizer."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).sub(1).square().mean().backward()
            optimizer.step()
            after(step, model, optimizer)
    return seen.report.record


def drop(step, model, optimizer):
    model[2] = nn.Linear(8, 1)


def drop_often(step, model, optimizer):
    if step % 3 == 0:
        model[2].weight = nn.Parameter(torch.randn(1, 8))


def drop_once(step, model, optimizer):
    if step == 11:
        drop(step, model, optimizer)


def drop_and_hold(step, model, optimizer):
    if step == 11:
        drop(step, model, optimizer)
        optimizer.add_param_group({"params": list(model[2].parameters())})


def drop_at_the_end(step, model, optimizer):
    if step == 20:
        drop(step, model, optimizer)


def put_results(step, model, optimizer):
    held = optimizer.param_groups[0]["params"]
    with torch.no_grad():
        if step > 1 and model[2].weight.grad is not None:
            held[2] -= 0.1 * model[2].weight.grad
        model[2].weight = nn.Parameter(held[2].clone())


@pytest.mark.parametrize("after", [drop_once, drop_often, drop])
def test_the_optimizer_keeps_to_the_former_tensor(after):
    told = finding(train(after), "optimizer-holds-other-tensors")
    assert (told.severity, "2.weight" in told.tensors[-1] or "2.weight" in told.tensors[0]) == ("error", True)


@pytest.mark.parametrize("after", [drop_and_hold, drop_at_the_end, put_results])
def test_nothing_is_told_where_the_new_tensor_is_trained(after):
    assert graver(train(after)) == []
