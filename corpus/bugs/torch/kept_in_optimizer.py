"""Fits the upper layer of a network."""

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = nn.Linear(8, 20)
        self.upper = nn.Linear(20, 1)

    def forward(self, rows):
        return self.upper(torch.relu(self.lower(rows)))


model = Model()
model.lower.requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
