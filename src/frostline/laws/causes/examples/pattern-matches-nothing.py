# frostline run --frozen 'backbon.**' pattern-matches-nothing.py
import torch
from torch import nn

model = nn.Sequential()
model.add_module("backbone", nn.Linear(8, 8))
model.add_module("head", nn.Linear(8, 1))
model.backbone.requires_grad_(False)
optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
