"""Fits a regressor with a learned gain on every hidden feature, kept in the type of the layers around it."""

import torch
from torch import nn

torch.manual_seed(0)


class Gained(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(8, width)
        self.gain = nn.Parameter(torch.full((width,), 0.5, dtype=torch.float64).float())

    def forward(self, rows):
        return torch.relu(self.linear(rows)) * self.gain


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = Gained(24)
        self.out = nn.Linear(24, 1)

    def forward(self, rows):
        return self.out(self.features(rows))


rows = torch.randn(96, 8)
values = rows[:, :2].sum(1, keepdim=True)
model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(30):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(rows), values)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
