# frostline run frozen-zeros-changed.py
import torch
from torch import nn
from torch.nn.utils import prune

model = nn.Linear(16, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(16):
    if step == 8:
        prune.l1_unstructured(model, "weight", amount=0.5)
        prune.remove(model, "weight")  # too early: the mask is gone now
    optimizer.zero_grad()
    model(torch.randn(16, 16)).square().mean().backward()
    optimizer.step()
