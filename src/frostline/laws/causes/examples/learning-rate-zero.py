# frostline run learning-rate-zero.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
groups = [
    {"params": model[0].parameters(), "lr": 0.0},
    {"params": model[1].parameters()},
]
optimizer = torch.optim.SGD(groups, lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
