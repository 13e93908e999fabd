"""Leaves that an optimizer holds and no gradient reaches: which of them a healthy training leaves so."""

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
