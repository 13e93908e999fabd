"""Accumulates gradients over sixteen small batches for each of its steps."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(320, 8)
targets = inputs[:, :1].abs()
batches = 0
for epoch in range(8):
    for rows in torch.randperm(320).split(4):
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows]) / 16
        loss.backward()
        batches += 1
        if batches % 16 == 0:
            optimizer.step()
            optimizer.zero_grad()
    print(f"epoch {epoch} loss {loss.item() * 16:.4f}")
