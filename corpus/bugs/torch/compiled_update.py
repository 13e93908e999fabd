"""Trains all layers, then only the last two; the optimizer's part of the step is compiled."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
inputs = torch.randn(160, 12)
targets = inputs[:, :1].abs()


@torch.compile(backend="eager")
def update():
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)


for epoch in range(8):
    if epoch == 3:
        model[0].requires_grad_(False)
    for rows in torch.randperm(160).split(32):
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        update()
    print(f"epoch {epoch} loss {loss.item():.4f}")
