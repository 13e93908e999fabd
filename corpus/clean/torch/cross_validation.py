"""Five folds, each with a model and an optimizer made in a function and thrown away."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)


def fold(train, test):
    model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3):
        for rows in train.split(24):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (model(features[test]).argmax(1) == labels[test]).float().mean().item()


parts = torch.randperm(len(features)).chunk(5)
for index, test in enumerate(parts):
    train = torch.cat([part for other, part in enumerate(parts) if other != index])
    print(f"fold {index} accuracy {fold(train, test):.3f}")
