"""Three heads on one body; each step trains one of them."""

import torch
from torch import nn

torch.manual_seed(0)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(24, 1) for name in ("first", "second", "third")})

    def forward(self, rows, task):
        return self.heads[task](self.body(rows))


model = Heads()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
targets = {"first": inputs[:, :1], "second": inputs[:, 1:2].abs(), "third": inputs[:, 2:3].sin()}
for epoch in range(4):
    for task, target in targets.items():
        for rows in torch.randperm(160).split(32):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs[rows], task), target[rows])
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} {task} loss {loss.item():.4f}")
