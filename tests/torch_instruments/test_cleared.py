"""Gradients that a backward pass makes and that are cleared before the step are told from gradients never made."""

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, squares, watched


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def loop(model, optimizer, between):
    for batch in rows(10):
        optimizer.zero_grad()
        squares(model, batch).backward()
        between(model, optimizer)
        optimizer.step()


@pytest.mark.parametrize(("to_none", "rule"), [(True, "no-gradient"), (False, "zero-gradient")], ids=["none", "zeros"])
def test_zero_grad_between_backward_and_step(to_none, rule):
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    record = watched(lambda: loop(model, optimizer, lambda _, it: it.zero_grad(set_to_none=to_none)))
    found = finding(record, rule)
    assert len(found.tensors) == 4
    assert "nothing was left of it when the step came" in found.message
    assert "leave gradients alone" in found.hint


def test_a_part_whose_gradients_the_loop_takes_away_is_an_error():
    def hold_back(model, _):
        for parameter in model[0].parameters():
            parameter.grad = None

    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    record = watched(lambda: loop(model, optimizer, hold_back))
    assert (len(graver(record)), finding(record, "no-gradient").severity) == (1, "error")


def test_a_gradient_that_no_backward_pass_makes_is_not_cleared():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.front, self.back = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, batch):
            return self.back(self.front(batch).detach())

    model = Cut()
    optimizer = torch.optim.Adam(model.parameters())
    found = finding(watched(lambda: loop(model, optimizer, lambda *_: None)), "no-gradient")
    assert (found.severity, "cut from the graph" in found.message) == ("error", True)
