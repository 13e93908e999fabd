"""Fine-tunes a network whose batch norms were trained before: statistics are loaded and kept, by eval mode."""

import copy

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(7)
data = load_wine()
features = torch.tensor(data.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(data.target)
network = nn.Sequential(nn.Linear(13, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
with torch.no_grad():
    for _ in range(20):
        network(features[torch.randint(0, 178, (64,))])
published = copy.deepcopy(network.state_dict())
model = nn.Sequential(nn.Linear(13, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
model.load_state_dict(published)
model.eval()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for _ in range(24):
    rows = torch.randint(0, 178, (32,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")
