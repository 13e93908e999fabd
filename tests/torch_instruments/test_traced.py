"""A module that is traced under observation is traced as without it."""

import pytest
import torch
from torch import nn
from toy import graver, rows, train, watched


def backbone() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU()).eval().requires_grad_(False)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")  # in favour of torch.compile
def test_a_traced_part_is_traced_as_without_observation():
    graphs = [str(torch.jit.trace(backbone(), rows(1)[0]).inlined_graph)]

    def head_over_traced():
        traced = torch.jit.trace(backbone(), rows(1)[0])
        graphs.append(str(traced.inlined_graph))
        model = nn.Sequential(traced, nn.Linear(8, 2))
        model[0].eval()
        train(model, torch.optim.SGD(model[1].parameters(), 0.1), rows())

    assert graver(watched(head_over_traced)) == []
    assert graphs[0].count("aten::") == graphs[1].count("aten::")
