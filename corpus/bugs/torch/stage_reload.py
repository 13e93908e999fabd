"""A spiral in two stages: the second stage starts from the file that the first one wrote."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(11)


def build():
    return nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 12), nn.Tanh(), nn.Linear(12, 3))


def spiral(count):
    arm = torch.randint(0, 3, (count,))
    radius = torch.rand(count)
    angle = 4 * radius + arm * 2.1 + 0.1 * torch.randn(count)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), arm


def fit(network, optimizer, steps):
    network.train()
    for _ in range(steps):
        points, arms = spiral(64)
        loss = nn.functional.cross_entropy(network(points), arms)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


network = build()
optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
print("first stage", fit(network, optimizer, 12))

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "stage1.pt"
    torch.save(network.state_dict(), path)
    network = build()
    network.load_state_dict(torch.load(path))

for group in optimizer.param_groups:
    group["lr"] = 1e-3
print("second stage", fit(network, optimizer, 24))
