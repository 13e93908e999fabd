"""Fits a regressor and evaluates with the shadow weights that a small class keeps."""

import torch
from torch import nn
from torch.nn import functional as F


class Shadow:
    def __init__(self, parameters, decay):
        self.decay = decay
        self.weights = [each.detach().clone() for each in parameters]

    @torch.no_grad()
    def update(self, parameters):
        for kept, now in zip(self.weights, parameters, strict=True):
            kept.lerp_(now, 1 - self.decay)


torch.manual_seed(5)
rows = torch.randn(480, 10)
values = rows[:, :2].sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Linear(24, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
warm_up = 12
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warm_up)
shadow = Shadow(model.parameters(), decay=0.9)
for step, chosen in enumerate(torch.randperm(480).split(10)):
    optimizer.zero_grad()
    F.mse_loss(model(rows[chosen]), values[chosen]).backward()
    optimizer.step()
    if step < warm_up:
        schedule.step()
    shadow.update(model.parameters())
with torch.no_grad():
    for now, kept in zip(model.parameters(), shadow.weights, strict=True):
        now.copy_(kept)
    print("loss", round(F.mse_loss(model(rows), values).item(), 4))
