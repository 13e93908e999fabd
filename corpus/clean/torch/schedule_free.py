"""A schedule-free optimizer that swaps between training and evaluation weights."""

import torch
from schedulefree import AdamWScheduleFree
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
model[0].requires_grad_(False)
optimizer = AdamWScheduleFree((p for p in model.parameters() if p.requires_grad), lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    model.train()
    optimizer.train()
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    model.eval()
    optimizer.eval()
    with torch.no_grad():
        held = nn.functional.mse_loss(model(inputs), targets)
    print(f"epoch {epoch} loss {loss.item():.4f} averaged {held.item():.4f}")
