"""A prototype classifier with one learnable centre for each class."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)


class Prototypes(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, width))
        self.centres = {name: nn.Parameter(torch.randn(width)) for name in classes}

    def forward(self, rows):
        centres = torch.stack(list(self.centres.values()))
        return -torch.cdist(self.encoder(rows), centres)


model = Prototypes(list(wine.target_names), 6)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(6):
    for rows in torch.randperm(len(features)).split(45):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
