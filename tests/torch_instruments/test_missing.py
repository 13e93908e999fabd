"""Tensors that an optimizer holds and no gradient reaches: which of them a healthy training tensors so."""

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, train, watched


class OnFixedFeatures(nn.Module):
    """A head on the features of an encoder that no gradient goes through."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 6))
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        with torch.no_grad():
            features = self.encoder(x)
        return self.head(features)


def trained(prepare):
    model = OnFixedFeatures()
    prepare(model)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1)
    return watched(lambda: train(model, optimizer, rows()))


MODES = {
    "in eval mode": (lambda model: model.encoder.eval(), "note"),
    "in training mode": (lambda model: None, "error"),
    "all in eval mode": (lambda model: model.eval(), "error"),
}


@pytest.mark.parametrize(("prepare", "severity"), MODES.values(), ids=MODES)
def test_a_network_that_the_script_keeps_fixed(prepare, severity):
    record = trained(prepare)
    found = finding(record, "no-gradient")
    assert (found.severity, len(found.tensors)) == (severity, 4)
    assert len(graver(record)) == (severity == "error")


class Scaled(nn.Module):
    """Own weights beside a layer: one that takes part, one that is read past the graph, one that is not used."""

    def __init__(self):
        super().__init__()
        self.shift, self.scale = nn.Parameter(torch.zeros(6)), nn.Parameter(torch.ones(6))
        self.spare = nn.Parameter(torch.zeros(6))
        self.head = nn.Linear(4, 6)

    def forward(self, x):
        return self.head(x) * self.scale.data + self.shift


def test_a_weight_that_is_read_and_cut_is_told_from_one_that_is_not_used():
    model, taken = Scaled(), nn.Module.__getattr__
    record = watched(lambda: train(model, torch.optim.SGD(model.parameters(), 0.1), rows()))
    assert graver(record) == [("no-gradient", ["model.scale"])]
    unused = next(found for found in record.findings if found.tensors == ["model.spare"])
    assert "used it in none of the passes watched" in unused.message
    assert nn.Module.__getattr__ is taken


def slope(model, batch):
    places = batch.clone().requires_grad_()
    (forces,) = torch.autograd.grad(model(places).sum(), places, create_graph=True)
    return (forces - 1).square().mean()


def slope_by_transform(model, batch):
    return (torch.func.vmap(torch.func.jacrev(lambda row: model(row).sum()))(batch) - 1).square().mean()


@pytest.mark.parametrize("loss", [slope, slope_by_transform])
def test_a_loss_on_slopes_leaves_the_last_offset_alone(loss):
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    record = watched(lambda: train(model, torch.optim.Adam(model.parameters(), 0.01), rows(), loss))
    found = finding(record, "no-gradient")
    assert (found.severity, found.tensors) == ("note", ["model.2.bias"])
    assert "the loss does not depend on this" in found.message
