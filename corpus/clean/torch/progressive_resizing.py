"""Trains on small images first and on larger ones later, with a new optimizer for each size."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 8, 3, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(2),
    nn.Flatten(),
    nn.Linear(32, 2),
)
images = torch.rand(96, 1, 16, 16)
labels = (images[:, 0, :8].mean((1, 2)) > images[:, 0, 8:].mean((1, 2))).long()
for size in (4, 8, 16):
    small = nn.functional.interpolate(images, size=size)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(3):
        for rows in torch.randperm(96).split(24):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(small[rows]), labels[rows])
            loss.backward()
            optimizer.step()
    print(f"size {size} loss {loss.item():.4f}")
