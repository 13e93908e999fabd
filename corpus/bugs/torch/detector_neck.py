"""Trains and validates by turns a model whose normalisation layers keep their published statistics."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
features = torch.tensor(wine.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(wine.target)
order = torch.randperm(len(features))
train, test = order[:140], order[140:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.neck = nn.Sequential(nn.Linear(13, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def forward(self, rows):
        return self.head(self.neck(rows))


def keep_statistics(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
            module.requires_grad_(False)


net = Net()
keep_statistics(net)
optimizer = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), lr=1e-2)
for epoch in range(5):
    for rows in train.split(14):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(features[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(features[test]).argmax(1) == labels[test]).float().mean()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy.item():.3f}")
    net.train()
