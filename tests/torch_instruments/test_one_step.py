"""Dry runs of one step: an average that the script makes in it or after it is told from a frozen weight that moved."""

import copy

import pytest
import torch
from torch import nn
from toy import graver, rows, squares, watched


def dry_run(update, *, inside: bool, kind=torch.optim.Adam, width: int = 32):
    """One step of a network with a frozen copy, which ``update(copy, network)`` moves in the step or after it."""

    def run():
        online = nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.Linear(width, 8))
        target = copy.deepcopy(online).requires_grad_(False)
        model = nn.ModuleDict({"online": online, "target": target})
        optimizer = kind(model.parameters(), lr=3e-4)
        (batch,) = rows(1, width)

        def moved():
            with torch.no_grad():
                update(list(target.parameters()), list(online.parameters()))

        def closure():
            if inside:
                moved()
            optimizer.zero_grad()
            loss = (online(batch) - target(batch + 0.1)).square().mean() + squares(online, batch)
            loss.backward()
            return loss

        optimizer.step(closure)
        if not inside:
            moved()

    return watched(run)


def average(copies, weights):
    for mine, each in zip(copies, weights, strict=True):
        mine.mul_(0.99).add_(each, alpha=0.01)


def noise(copies, _):
    for mine in copies:
        mine.add_(1e-3 * torch.randn_like(mine))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_an_average_of_one_step_is_proven_by_its_numbers(inside, kind):
    record = dry_run(average, inside=inside, kind=kind)
    assert graver(record) == []
    assert {each.excuse for each in record.excused} == {"follows"}


def test_frozen_weights_that_moved_in_the_one_step_are_an_error():
    found = dict(graver(dry_run(noise, inside=True)))
    assert {"model.target.0.weight", "model.target.2.weight"} <= {name for names in found.values() for name in names}
