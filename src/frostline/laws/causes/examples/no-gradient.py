# frostline run no-gradient.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    # cuts the first layer off
    features = model[0](torch.randn(16, 8)).detach()
    model[1](features).square().mean().backward()
    optimizer.step()
