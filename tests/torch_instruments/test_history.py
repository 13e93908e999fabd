"""L-BFGS keeps one history for all its tensors, and takes a missing gradient for zeros."""

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, squares, watched


def fit(model, optimizer, clear, frozen_at):
    for number, batch in enumerate(rows(16)):
        if number == frozen_at:
            model[0].requires_grad_(False)

        def closure(batch=batch):
            clear(optimizer)
            loss = squares(model, batch)
            loss.backward()
            return loss

        optimizer.step(closure)


CLEARED = {
    "dropped": lambda optimizer: optimizer.zero_grad(),
    "zeroed": lambda optimizer: optimizer.zero_grad(set_to_none=False),
}


@pytest.mark.parametrize("clear", CLEARED.values(), ids=CLEARED)
def test_its_history_carries_a_layer_that_is_frozen_on_the_way(clear):
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=1)
    before = [each.clone() for each in model[0].parameters()]
    record = watched(lambda: fit(model, optimizer, clear, frozen_at=6))
    assert not any(map(torch.equal, before, model[0].parameters()))
    found = finding(record, "frozen-but-carried-by-momentum")
    assert {name.removeprefix("model.") for name in found.tensors} == {"0.weight", "0.bias"}


def test_a_layer_that_was_frozen_before_has_no_part_in_it():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=1)
    assert graver(watched(lambda: fit(model, optimizer, CLEARED["dropped"], frozen_at=0))) == []
