"""Momentum, weight decay and learning rate all follow schedules; the rate ends near 0."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=40)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for step in range(40):
    optimizer.param_groups[0]["weight_decay"] = 1e-4 * step
    rows = torch.randint(0, 160, (32,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f} rate {schedule.get_last_lr()[0]:.5f}")
