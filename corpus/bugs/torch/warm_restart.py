"""Trains a head several times from fresh weights on one kept trunk."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(120, 7)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.head = nn.Linear(32, 2)

    def forward(self, rows):
        return self.head(self.trunk(rows))


def fresh(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


network = Network()
network.trunk.requires_grad_(False)
optimizer = torch.optim.Adam(network.head.parameters(), lr=1e-2)
for trial in range(3):
    if trial:
        network.apply(fresh)
    for _ in range(3):
        for rows in torch.randperm(120).split(30):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(inputs[rows]), labels[rows])
            loss.backward()
            optimizer.step()
    print(f"trial {trial} loss {loss.item():.4f}")
