"""Metric learning with an additive angular margin on digit images."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:900] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:900])


class AngularMargin(nn.Module):
    def __init__(self, width, classes, scale=16.0, margin=0.2):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width))
        self.scale, self.margin = scale, margin

    def forward(self, features, label):
        cosine = functional.linear(functional.normalize(features), functional.normalize(self.weight))
        shift = functional.one_hot(label, cosine.shape[1]) * self.margin
        return self.scale * (cosine - shift)


network = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
margin = AngularMargin(16, 10)
optimizer = torch.optim.Adam([*network.parameters(), *margin.parameters()], lr=2e-3)
for epoch in range(4):
    for rows in torch.randperm(900).split(100):
        optimizer.zero_grad()
        loss = functional.cross_entropy(margin(network(images[rows]), labels[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
