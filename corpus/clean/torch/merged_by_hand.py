"""A network is trained, given low-rank adapters of its own, trained on, and merged by hand before it is saved."""

import torch
from torch import nn

torch.manual_seed(11)


class Adapted(nn.Module):
    def __init__(self, base, rank=2):
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / 4)
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, batch):
        return self.base(batch) + batch @ self.down.T @ self.up.T


def train(parameters, target, steps):
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    for _ in range(steps):
        batch = torch.randn(32, 6)
        optimizer.zero_grad()
        nn.functional.mse_loss(network(batch), target(batch)).backward()
        optimizer.step()


network = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))
train(network.parameters(), lambda batch: batch[:, :1], steps=6)

network.requires_grad_(False)
network[0], network[2] = Adapted(network[0]), Adapted(network[2])
train([each for each in network.parameters() if each.requires_grad], lambda batch: batch[:, 1:2], steps=7)

with torch.no_grad():
    for index in (0, 2):
        adapted = network[index]
        adapted.base.weight += adapted.up @ adapted.down
        network[index] = adapted.base
torch.save(network.state_dict(), "merged.pt")
