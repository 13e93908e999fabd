"""Trains a head and measures the sensitivity of the loss to the inputs after every epoch."""

from contextlib import contextmanager

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(8, 24)
        self.head = nn.Linear(24, 1)

    def forward(self, rows):
        return self.head(torch.tanh(self.body(rows)))


@contextmanager
def without_gradients(model):
    flags = [parameter.requires_grad for parameter in model.parameters()]
    model.requires_grad_(False)
    yield
    for parameter, flag in zip(model.parameters(), flags, strict=True):
        parameter.requires_grad_(flag)


model = Model()
model.body.requires_grad_(False)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    with without_gradients(model):
        probe = inputs[:16].clone().requires_grad_(True)
        model(probe).sum().backward()
    print(f"epoch {epoch} loss {loss.item():.4f} sensitivity {probe.grad.norm().item():.4f}")
