"""Distillation by matching hidden features, packed into one module."""

import torch
from torch import nn

torch.manual_seed(0)


class Distiller(nn.Module):
    def __init__(self):
        super().__init__()
        self.teacher = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 8)).eval()
        self.student = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 8))

    def forward(self, rows):
        return nn.functional.mse_loss(self.student(rows), self.teacher(rows))


distiller = Distiller()
optimizer = torch.optim.SGD(distiller.parameters(), lr=0.05)
inputs = torch.randn(160, 10)
for epoch in range(6):
    for batch in inputs.split(32):
        optimizer.zero_grad()
        loss = distiller(batch)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.5f}")
