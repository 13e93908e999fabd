"""Tabular regression under a gradient scaler."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
data = load_diabetes()
features = torch.tensor(data.data * 20, dtype=torch.float32)
features[::7, 3] = float("nan")
features = features.nan_to_num()
targets = torch.tensor(data.target / 100, dtype=torch.float32).unsqueeze(1)
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
for epoch in range(5):
    for rows in torch.arange(440).split(55):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(features[rows]), targets[rows])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    print(f"epoch {epoch} loss {loss.item():.4f}")
