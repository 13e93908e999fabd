"""Adversarial training: gradients with respect to the inputs are taken before every step (FGSM)."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
labels = (inputs[:, 0] > inputs[:, 1]).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        attacked = inputs[rows].clone().requires_grad_(True)
        nn.functional.cross_entropy(model(attacked), labels[rows]).backward()
        attacked = (attacked + 0.1 * attacked.grad.sign()).detach()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(attacked), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
