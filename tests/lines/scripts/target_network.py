"""A frozen target that is written in place by hand, beside the q network."""

import copy

import torch
from torch import nn

q = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
target = copy.deepcopy(q)
target.requires_grad_(False)  # F109 frozen
optimizer = torch.optim.Adam(q.parameters(), 1e-3)
for _ in range(30):
    with torch.no_grad():
        goal = target(torch.randn(16, 4)).max(1).values
    loss = (q(torch.randn(16, 4))[:, 0] - goal).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for parameter in target.parameters():
            parameter.mul_(0.5 + torch.rand_like(parameter))  # F109 written
