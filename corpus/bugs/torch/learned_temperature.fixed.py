"""Contrastive learning of two views with learned positions and a learned temperature."""

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Pairs(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 8))
        self.offset = nn.Parameter(torch.randn(8))
        self.temperature = nn.Parameter(torch.tensor(1.0))

    def forward(self, left, right):
        left = functional.normalize(self.tower(left) + self.offset, dim=1)
        right = functional.normalize(self.tower(right), dim=1)
        return left @ right.t() * self.temperature.exp()


pairs = Pairs()
optimizer = torch.optim.Adam(pairs.parameters(), lr=3e-3)
points = torch.randn(160, 10)
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        left = points[rows] + torch.randn(32, 10) * 0.1
        right = points[rows] + torch.randn(32, 10) * 0.1
        optimizer.zero_grad()
        loss = functional.cross_entropy(pairs(left, right), torch.arange(32))
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
