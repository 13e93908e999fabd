"""Adapts a three-class network to ten digit classes."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:800] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:800])


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, 40), nn.ReLU())
        self.classifier = nn.Linear(40, classes)

    def forward(self, batch):
        return self.classifier(self.features(batch))


network = Network(classes=3)
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
network.classifier = nn.Linear(network.classifier.in_features, 10)

for epoch in range(4):
    for rows in torch.randperm(800).split(100):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
