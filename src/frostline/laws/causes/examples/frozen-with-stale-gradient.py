# frostline run frozen-with-stale-gradient.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(8):
    model[1].zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    # after backward: the gradient is there, and nobody clears it
    model[0].requires_grad_(False)
    optimizer.step()
