"""A residual stack that skips layers at random in every step (stochastic depth)."""

import torch
from torch import nn

torch.manual_seed(0)


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(6))
        self.last = nn.Linear(16, 1)

    def forward(self, rows):
        hidden = self.first(rows)
        for layer in self.layers:
            if not self.training or torch.rand(()) < 0.5:
                hidden = hidden + torch.relu(layer(hidden))
        return self.last(hidden)


stack = Stack()
optimizer = torch.optim.Adam(stack.parameters(), lr=2e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].sin()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(stack(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
