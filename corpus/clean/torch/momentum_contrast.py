"""Contrastive learning with a momentum encoder and a queue of negatives (MoCo)."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Contrast(nn.Module):
    def __init__(self, size=64, width=8):
        super().__init__()
        self.query = nn.Sequential(nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, width))
        self.key = copy.deepcopy(self.query)
        self.key.requires_grad_(False)
        self.register_buffer("queue", functional.normalize(torch.randn(size, width), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def follow(self):
        for source, target in zip(self.query.parameters(), self.key.parameters(), strict=True):
            target.mul_(0.9).add_(source, alpha=0.1)

    def forward(self, left, right):
        query = functional.normalize(self.query(left), dim=1)
        with torch.no_grad():
            self.follow()
            key = functional.normalize(self.key(right), dim=1)
        logits = torch.cat([(query * key).sum(1, keepdim=True), query @ self.queue.clone().t()], dim=1)
        start = int(self.place)
        self.queue[start : start + len(key)] = key
        self.place.fill_((start + len(key)) % len(self.queue))
        return functional.cross_entropy(logits / 0.2, torch.zeros(len(left), dtype=torch.long))


model = Contrast()
optimizer = torch.optim.SGD(model.query.parameters(), lr=0.05, momentum=0.9)
points = torch.randn(160, 12)
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        left, right = (points[rows] + torch.randn(32, 12) * 0.1 for _ in range(2))
        optimizer.zero_grad()
        loss = model(left, right)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
