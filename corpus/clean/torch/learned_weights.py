"""Two tasks with learned loss weights, which stand in the optimizer beside the model."""

import torch
from torch import nn

torch.manual_seed(0)
body = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 2))
log_variance = nn.Parameter(torch.zeros(2))
optimizer = torch.optim.Adam([{"params": body.parameters()}, {"params": [log_variance], "lr": 1e-2}], lr=5e-3)
inputs = torch.randn(160, 8)
targets = torch.stack([inputs[:, 0] * 3, inputs[:, 1].abs()], dim=1)
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        errors = (body(inputs[rows]) - targets[rows]).pow(2).mean(0)
        loss = (errors * torch.exp(-log_variance) + log_variance).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
