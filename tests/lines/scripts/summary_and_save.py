"""Only the head is saved, though the body was trained as well."""

import torch
from torch import nn


def save(module, file):
    torch.save(module.state_dict(), file)  # S601 saved


model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
save(model[2], "head.pt")
