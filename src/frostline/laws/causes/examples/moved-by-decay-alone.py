# frostline run moved-by-decay-alone.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
nn.init.constant_(model[0].bias, -100.0)  # every unit is dead
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.01)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
