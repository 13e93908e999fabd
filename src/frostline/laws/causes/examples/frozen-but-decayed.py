# frostline run frozen-but-decayed.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
for step in range(8):
    model[0].requires_grad_(step < 2)
    # the gradients become zeros, and zeros are decayed
    optimizer.zero_grad(set_to_none=False)
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
