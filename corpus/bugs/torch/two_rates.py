"""Adam for the whole model and a faster one for its head."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(13, 24), nn.ReLU())
        self.head = nn.Linear(24, 3)

    def forward(self, rows):
        return self.head(self.body(rows))


model = Model()
slow = torch.optim.Adam(model.parameters(), lr=1e-3)
fast = torch.optim.Adam(model.head.parameters(), lr=1e-2)
for epoch in range(6):
    for rows in torch.randperm(len(features)).split(36):
        slow.zero_grad()
        fast.zero_grad()
        loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
        loss.backward()
        slow.step()
        fast.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
