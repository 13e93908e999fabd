# frostline run frozen-but-carried-by-momentum.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters())
for step in range(8):
    model[0].requires_grad_(step < 2)
    # the gradients become zeros, the moments stay
    optimizer.zero_grad(set_to_none=False)
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
