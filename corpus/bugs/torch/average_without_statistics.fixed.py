"""Averages the weights of a network with normalisation, to evaluate with the average."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(7)
rows = 2.0 + 1.5 * torch.randn(480, 8)
values = rows[:, :2].sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 1))
average = copy.deepcopy(model).requires_grad_(False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)


def tensors(network):
    return [each for each in network.state_dict().values() if each.is_floating_point()]


for chosen in torch.randperm(480).split(16):
    optimizer.zero_grad()
    F.mse_loss(model(rows[chosen]), values[chosen]).backward()
    optimizer.step()
    with torch.no_grad():
        for kept, now in zip(tensors(average), tensors(model), strict=True):
            kept.mul_(0.9).add_(now, alpha=0.1)
print("size", sum(each.numel() for each in average.state_dict().values()))
