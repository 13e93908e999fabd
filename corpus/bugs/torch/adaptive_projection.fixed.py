"""A network that adapts its last layer to the number of targets it is asked for."""

import torch
from torch import nn

torch.manual_seed(0)


class Adaptive(nn.Module):
    def __init__(self, targets):
        super().__init__()
        self.hidden = nn.Linear(9, 24)
        self.targets = targets
        self.projection = nn.Linear(24, targets)

    def forward(self, rows):
        hidden = torch.tanh(self.hidden(rows))
        return self.projection(hidden)


model = Adaptive(targets=2)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(150, 9)
targets = torch.stack([inputs[:, 0] * inputs[:, 1], inputs[:, 2]], dim=1)
for epoch in range(6):
    for rows in torch.randperm(150).split(30):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
