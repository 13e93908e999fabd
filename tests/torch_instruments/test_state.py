"""Statistics kept as parameters without gradient, in a list, by a model whose parameters() is no iterator."""

import copy

import pytest
import torch
from torch import nn
from toy import graver, rows, squares, watched


class Functional(nn.Module):
    """Weights and running statistics in lists, used by functions alone."""

    def __init__(self):
        super().__init__()
        weights = [torch.randn(8, 4) / 2, torch.ones(8), torch.zeros(8), torch.randn(2, 8) / 3]
        self.weights = nn.ParameterList([nn.Parameter(each) for each in weights])
        state = [torch.zeros(8), torch.ones(8)]
        self.state = nn.ParameterList([nn.Parameter(each, requires_grad=False) for each in state])

    def parameters(self, recurse=True):
        return self.weights

    def forward(self, batch):
        first, scale, shift, last = self.weights
        mean, variance = self.state
        hidden = nn.functional.batch_norm(batch @ first.t(), mean, variance, scale, shift, training=True)
        return torch.tanh(hidden) @ last.t()


def fit(model, optimizer, each_time=lambda _: None):
    for batch in rows(12):
        optimizer.zero_grad()
        squares(model, batch).backward()
        optimizer.step()
        each_time(batch)


@pytest.mark.parametrize("copied", [False, True], ids=["alone", "with copies"])
def test_statistics_beside_trained_weights_are_state(copied):
    model = Functional()
    optimizer = torch.optim.SGD(model.weights, 0.1)
    each_time = (lambda batch: copy.deepcopy(model)(batch)) if copied else (lambda _: None)
    record = watched(lambda: fit(model, optimizer, each_time))
    assert (graver(record), record.run.faults) == ([], [])


def test_in_a_frozen_model_they_are_told():
    model, head = Functional(), nn.Linear(2, 2)
    model.requires_grad_(False)
    for each in model.weights:
        each.requires_grad_(False)
    optimizer = torch.optim.SGD(head.parameters(), 0.1)
    record = watched(lambda: fit(nn.Sequential(model, head), optimizer))
    assert [rule for rule, _ in graver(record)] == ["frozen-but-rewritten-in-forward"]


class Averaging(nn.Module):
    """A codebook that every pass averages into a new parameter; ``through`` lets gradients reach it."""

    def __init__(self, through):
        super().__init__()
        self.front, self.back = nn.Linear(4, 8), nn.Linear(8, 2)
        self.codes = nn.Parameter(torch.randn(16, 8))
        self.through = through

    def forward(self, batch):
        hidden = self.front(batch)
        nearest = torch.cdist(hidden, self.codes).argmin(1)
        new = self.codes.detach().clone()
        new[nearest] = 0.9 * new[nearest] + 0.1 * hidden.detach()
        self.codes = nn.Parameter(new)
        coded = self.codes[nearest]
        return self.back(hidden + (coded if self.through else (coded - hidden).detach()))


@pytest.mark.parametrize("through", [False, True], ids=["cut off", "with gradients"])
def test_a_parameter_that_every_pass_makes_anew(through):
    model = Averaging(through)
    optimizer = torch.optim.Adam(model.parameters())
    record = watched(lambda: fit(model, optimizer))
    assert [rule for rule, _ in graver(record)] == (["optimizer-holds-other-tensors"] if through else [])
