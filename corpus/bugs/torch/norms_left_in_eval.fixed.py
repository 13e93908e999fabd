"""Trains a small network with batch norm on wines, with a validation pass before each epoch."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(1)
data = load_wine()
features = torch.tensor(data.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(data.target)
model = nn.Sequential(nn.Linear(13, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def accuracy():
    model.eval()
    with torch.no_grad():
        return (model(features[:48]).argmax(1) == labels[:48]).float().mean().item()


for epoch in range(8):
    before = accuracy()
    model.train()
    for rows in (torch.randperm(130) + 48).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} accuracy before {before:.2f} loss {loss.item():.3f}")
