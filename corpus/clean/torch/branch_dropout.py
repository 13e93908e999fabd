"""Drops one of two branches as a whole for most batches."""

import torch
from torch import nn

torch.manual_seed(0)


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(8, 12)
        self.right = nn.Linear(8, 12)
        self.last = nn.Linear(12, 1)

    def forward(self, rows):
        keep = (torch.rand(()) < 0.3).to(rows.dtype) if self.training else 0.3
        return self.last(torch.tanh(self.left(rows)) + keep * torch.tanh(self.right(rows)))


model = Branches()
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].sin()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
