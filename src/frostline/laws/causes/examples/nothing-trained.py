# frostline run nothing-trained.py
import torch
from torch import nn

model = nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(8):
    optimizer.zero_grad()
    # and no optimizer.step()
    model(torch.randn(16, 8)).square().mean().backward()
