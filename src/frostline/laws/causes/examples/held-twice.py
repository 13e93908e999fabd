# frostline run held-twice.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
slow = torch.optim.SGD(model.parameters(), lr=0.01)
# the head belongs to both
fast = torch.optim.SGD(model[1].parameters(), lr=0.1)
for _ in range(4):
    slow.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    slow.step()
    fast.step()
