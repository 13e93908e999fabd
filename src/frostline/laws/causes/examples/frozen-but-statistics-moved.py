# frostline run frozen-but-statistics-moved.py
import torch
from torch import nn

backbone = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
backbone.requires_grad_(False)  # and still in training mode
model = nn.Sequential(backbone, nn.Linear(8, 1))
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
