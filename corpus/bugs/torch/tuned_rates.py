"""A learning rate is tried on copies before it is used: two candidates take a few steps, the better one goes on."""

import copy

import torch
from torch import nn

torch.manual_seed(5)


class Curve(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(1, 20)
        self.fall = nn.Linear(20, 1)

    def forward(self, x):
        return self.fall(torch.tanh(self.lift(x)))


def batch():
    x = torch.rand(48, 1) * 4 - 2
    return x, torch.sin(2 * x)


def advance(model, optimizer, steps):
    for _ in range(steps):
        x, y = batch()
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


curve = Curve()
optimizer = torch.optim.SGD(curve.parameters(), lr=0.05, momentum=0.8)
print("warm-up", advance(curve, optimizer, 10))

candidates = []
for rate in (0.02, 0.1):
    candidate = copy.deepcopy(optimizer)
    candidate.param_groups[0]["lr"] = rate
    candidates.append(candidate)
print("chosen", advance(curve, candidates[1], 24))
