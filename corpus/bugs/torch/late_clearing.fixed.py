"""A small classifier; the loop was put together from two others."""

import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(128, 10)
labels = (rows.sum(1) > 0).long()

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
for epoch in range(6):
    total = 0.0
    for batch, truth in zip(rows.split(32), labels.split(32), strict=True):
        loss = nn.functional.cross_entropy(model(batch), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / 4:.4f}")
