"""Two parallel towers whose outputs are added."""

import torch
from torch import nn

torch.manual_seed(0)


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = nn.Linear(8, 16)
        nn.init.constant_(self.lower.bias, 0.1)
        self.upper = nn.Linear(16, 1)
        self.side = nn.Linear(8, 1)

    def forward(self, rows):
        return self.upper(torch.relu(self.lower(rows))) + self.side(rows)


towers = Towers()
optimizer = torch.optim.Adam(towers.parameters(), lr=1e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1] * inputs[:, 1:2] + inputs[:, 2:3]
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(towers(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
