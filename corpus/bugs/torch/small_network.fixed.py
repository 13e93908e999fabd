"""Trains a network, takes half of its smallest weights out, and trains what is left."""

import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
rows = torch.randn(96, 8)
values = (rows[:, :3] ** 2).sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)


def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(rows), values)
        loss.backward()
        optimizer.step()
    print(f"loss {loss.item():.4f}")


def finish():
    for layer in (model[0], model[2]):
        prune.remove(layer, "weight")


train(20)
for layer in (model[0], model[2]):
    prune.l1_unstructured(layer, "weight", amount=0.5)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
train(20)
finish()
print("weights in use", sum(int(layer.weight.count_nonzero()) for layer in (model[0], model[2])))
