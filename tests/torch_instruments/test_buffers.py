"""Buffers that ask for gradients: weights that parameters() does not list."""

import torch
from torch import nn
from toy import finding, graver, tensor_row

import frostline


class Scaled(nn.Module):
    """A layer whose output is scaled by a buffer."""

    def __init__(self, *, asks):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.register_buffer("scale", torch.ones(2, requires_grad=asks))

    def forward(self, values):
        return self.layer(values) * self.scale


def train(*, asks=True, held=False):
    torch.manual_seed(0)
    model = Scaled(asks=asks)
    more = [model.scale] if held else []
    optimizer = torch.optim.SGD([*model.parameters(), *more], lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for _ in range(8):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).sub(1).square().mean().backward()
            optimizer.step()
    return seen.report.record


def test_a_buffer_that_gets_gradients_and_is_never_trained_is_noted():
    told = finding(train(), "not-in-any-optimizer")
    assert (told.severity, told.tensors) == ("note", ["model.scale"])
    assert "a buffer" in told.message


def test_a_buffer_that_an_optimizer_holds_is_trained():
    record = train(held=True)
    assert tensor_row(record, "model.scale").changed.verdict == "yes"
    assert record.findings == graver(record) == []


def test_a_buffer_that_asks_for_no_gradient_is_state():
    record = train(asks=False)
    assert tensor_row(record, "model.scale").kind == "buffer"
    assert record.findings == []
