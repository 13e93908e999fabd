"""Adapts a recommender to a new market and writes it for a server that knows plain layers only."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Adapted(nn.Module):
    def __init__(self, inner, rank=2):
        super().__init__()
        self.inner = inner.requires_grad_(False)
        self.first = nn.Parameter(torch.randn(rank, inner.in_features) / 4)
        self.second = nn.Parameter(torch.zeros(inner.out_features, rank))

    def forward(self, rows):
        return self.inner(rows) + rows @ self.first.T @ self.second.T

    def merge(self):
        self.inner.weight.data += self.second @ self.first


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(50, 12).requires_grad_(False)
        self.mix = Adapted(nn.Linear(12, 24))
        self.score = Adapted(nn.Linear(24, 8))

    def forward(self, users):
        return self.score(torch.relu(self.mix(self.users(users))))


model = Recommender()
optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=1e-2)
for _ in range(25):
    users = torch.randint(0, 50, (32,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(users), users % 8)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
layers = {"users.weight": model.users.weight}
for name in ("mix", "score"):
    layer = getattr(model, name)
    layers |= {f"{name}.weight": layer.inner.weight, f"{name}.bias": layer.inner.bias}
with tempfile.TemporaryDirectory() as folder:
    torch.save(layers, Path(folder) / "served.pt")
