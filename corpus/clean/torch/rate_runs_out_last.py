"""A one-cycle schedule that begins near zero and is at zero in the last step."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(6)
data = load_iris()
features = torch.tensor(data.data, dtype=torch.float32)
labels = torch.tensor(data.target)
model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
steps = 40
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(step / 8, (steps - 1 - step) / 30, 1.0))
for _ in range(steps):
    rows = torch.randint(0, 150, (32,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
    loss.backward()
    optimizer.step()
    schedule.step()
print(f"loss {loss.item():.3f}, rate {schedule.get_last_lr()[0]:.3f}")
