"""The training loop."""

import torch
from torch import nn


def fit(model, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(steps):
        inputs, labels = torch.randn(32, 16), torch.randint(0, 2, (32,))
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
