"""Unfrozen after the optimizer was made of what was trainable then."""

import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))  # T201 made
for parameter in model[0].parameters():
    parameter.requires_grad = False
trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.Adam(  # T201 optimizer
    trainable, lr=1e-2
)
for parameter in model[0].parameters():
    parameter.requires_grad = True  # T201 unfrozen
for _ in range(10):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()  # T201 step
