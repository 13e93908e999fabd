# frostline run frozen-but-listed.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
model[0].requires_grad_(False)
# all of them, frozen or not
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    # a gradient from elsewhere: another process, an estimate
    model[0].weight.grad = torch.randn(8, 8)
    optimizer.step()
