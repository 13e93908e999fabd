# frostline run trainable-but-unchanged.py
import torch
from torch import nn


class Descent(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self):
        for weight in self.param_groups[0]["params"]:
            # a new tensor; the parameter stays
            weight = weight - 0.1 * weight.grad


model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = Descent(model.parameters(), {"lr": 0.1})
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
