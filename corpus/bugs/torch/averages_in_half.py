"""Trains in full precision, and keeps the averages that are to be shipped in the type that they are shipped in."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(6)
rows = torch.randn(400, 12)
labels = (rows[:, :3].sum(1) > 0).long()
model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))
averages = {name: each.detach().to(torch.bfloat16, copy=True) for name, each in model.named_parameters()}
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(3):
    for chosen in torch.randperm(400).split(20):
        optimizer.zero_grad()
        F.cross_entropy(model(rows[chosen]), labels[chosen]).backward()
        optimizer.step()
        with torch.no_grad():
            for name, each in model.named_parameters():
                averages[name].lerp_(each.to(averages[name].dtype), 0.001)
shipped = {name: each.to(torch.bfloat16) for name, each in averages.items()}
print("size", sum(each.numel() for each in shipped.values()))
