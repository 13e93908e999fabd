"""A fine-tune whose frozen batch norm stays in training mode."""

import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)), nn.Linear(8, 2)
backbone.requires_grad_(False)
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
for _ in range(4):
    loss = head(backbone(torch.randn(16, 8))).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
