"""A normalisation that counts batches and keeps its statistics gives the same outputs as before."""

import pytest
import torch
from torch import nn
from toy import finding, rows, train, watched


@pytest.mark.parametrize(("momentum", "severity"), [(0.0, "note"), (0.1, "error")])
def test_statistics_that_stay_while_batches_are_counted(momentum, severity):
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, momentum=momentum), nn.Linear(8, 2))
    model[:2].requires_grad_(False)
    optimizer = torch.optim.SGD(model[2].parameters(), 0.1)
    found = finding(watched(lambda: train(model, optimizer, rows(6))), "frozen-but-statistics-moved")
    assert (found.severity, len(found.tensors)) == (severity, 1 if severity == "note" else 3)
