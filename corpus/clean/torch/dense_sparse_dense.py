"""Trains a network, trains it with half of its weights masked, and lets all of them train again in the end."""

import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
rows = torch.randn(96, 8)
values = (rows[:, :3] ** 2).sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))


def train(name, steps, rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(rows), values)
        loss.backward()
        optimizer.step()
    print(name, f"loss {loss.item():.4f}")


layers = [model[0], model[2]]
train("dense", 16, 0.01)
for layer in layers:
    prune.l1_unstructured(layer, "weight", amount=0.5)
train("sparse", 16, 0.01)
for layer in layers:
    prune.remove(layer, "weight")
train("dense again", 16, 0.001)
