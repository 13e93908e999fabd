"""Freezes a layer mid-run, with gradients dropped: it stays in AdamW's groups and does not move."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    if epoch == 2:
        model[0].requires_grad_(False)
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
