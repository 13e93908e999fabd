# frostline run frozen-random-weights.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 1))
model[0].requires_grad_(False)  # and never loaded
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 64)).square().mean().backward()
    optimizer.step()
