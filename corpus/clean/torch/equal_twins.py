"""Two models that start with equal weights and are trained at different rates."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
first = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
second = copy.deepcopy(first)
runs = [(first, torch.optim.SGD(first.parameters(), lr=0.02)), (second, torch.optim.SGD(second.parameters(), lr=0.1))]
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        losses = []
        for model, optimizer in runs:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    print(f"epoch {epoch} losses {losses[0]:.4f} {losses[1]:.4f}")
