"""Trains with gradients accumulated over several small batches."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
accumulate = 8
for epoch in range(8):
    for index, rows in enumerate(torch.randperm(len(features)).split(30)):
        loss = nn.functional.cross_entropy(model(features[rows]), labels[rows]) / accumulate
        loss.backward()
        if (index + 1) % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    if epoch % 4 == 3:
        print(f"epoch {epoch} loss {loss.item() * accumulate:.4f}")
