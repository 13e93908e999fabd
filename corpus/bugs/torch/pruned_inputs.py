"""Refines a classifier that reads new features besides the calibrated ones, whose weights should stay."""

import torch
from torch import nn

torch.manual_seed(0)
calibrated, added = 6, 4
features = torch.randn(320, calibrated + added)
labels = (features[:, 0] + features[:, -1] > 0).long()
model = nn.Sequential(nn.Linear(calibrated + added, 16), nn.Tanh(), nn.Linear(16, 2))
open_columns = torch.zeros(calibrated + added)
open_columns[calibrated:] = 1
model[0].weight.register_hook(lambda slope: slope * open_columns)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
for epoch in range(3):
    for batch, label in zip(features.split(32), labels.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(batch), label)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
