"""Autoregression with weight-normalised layers."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)
series = torch.sin(torch.arange(400) * 0.3) + torch.randn(400) * 0.05
windows = series.unfold(0, 13, 1)
model = nn.Sequential(nn.Linear(12, 32), nn.GELU(), nn.Linear(32, 1))
for layer in model:
    if isinstance(layer, nn.Linear):
        weight_norm(layer)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(4):
    for rows in torch.randperm(len(windows)).split(48):
        batch = windows[rows]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch[:, :12]), batch[:, 12:])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
