"""Two regression tasks whose losses are balanced by learned variances."""

import torch
from torch import nn

torch.manual_seed(0)


class BalancedLoss(nn.Module):
    def __init__(self, tasks):
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(tasks))

    def forward(self, losses):
        losses = torch.stack(losses)
        return (losses * torch.exp(-self.log_variance) + self.log_variance).sum()


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.first = nn.Linear(24, 1)
        self.second = nn.Linear(24, 1)

    def forward(self, rows):
        hidden = self.shared(rows)
        return self.first(hidden), self.second(hidden)


model, balance = TwoTasks(), BalancedLoss(2)
optimizer = torch.optim.Adam([*model.parameters(), *balance.parameters()], lr=5e-3)
inputs = torch.randn(160, 8)
wanted = inputs[:, :1] * 4, inputs[:, 1:2].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        first, second = model(inputs[rows])
        losses = [nn.functional.mse_loss(first, wanted[0][rows]), nn.functional.mse_loss(second, wanted[1][rows])]
        loss = balance(losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
