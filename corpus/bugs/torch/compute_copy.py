"""Runs the forward and backward pass on a replica, as multi-device wrappers do."""

import copy

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)


class Replicated(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.replica = copy.deepcopy(module)

    def forward(self, rows):
        return self.replica(rows)


network = nn.Sequential(nn.Linear(13, 20), nn.ReLU(), nn.Linear(20, 3))
optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
network = Replicated(network)
for epoch in range(6):
    for rows in torch.randperm(len(features)).split(45):
        network.zero_grad()
        loss = nn.functional.cross_entropy(network(features[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
