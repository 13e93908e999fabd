"""Two views of a row, a predictor and an averaged target whose momentum rises to 1 (BYOL)."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


def projector(inside, outside):
    return nn.Sequential(nn.Linear(inside, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, outside))


class Learner(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), projector(32, 16))
        self.predictor = projector(16, 16)
        self.target = copy.deepcopy(self.online)
        for parameter in self.target.parameters():
            parameter.requires_grad = False

    def forward(self, one, two):
        predictions = self.predictor(self.online(one)), self.predictor(self.online(two))
        with torch.no_grad():
            targets = self.target(two), self.target(one)
        pairs = zip(predictions, targets, strict=True)
        return sum(2 - 2 * functional.cosine_similarity(left, right.detach()).mean() for left, right in pairs)

    @torch.no_grad()
    def update_target(self, momentum):
        for target, online in zip(self.target.parameters(), self.online.parameters(), strict=True):
            target.data = momentum * target.data + (1 - momentum) * online.data


learner, steps = Learner(), 40
optimizer = torch.optim.Adam([*learner.online.parameters(), *learner.predictor.parameters()], lr=3e-3)
rows = torch.randn(256, 12)
for step in range(steps):
    batch = rows[torch.randint(0, len(rows), (32,))]
    one, two = batch + 0.1 * torch.randn_like(batch), batch + 0.1 * torch.randn_like(batch)
    loss = learner(one, two)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    learner.update_target(1 - 0.04 * (math.cos(math.pi * step / steps) + 1) / 2)
print(f"loss {loss.item():.4f}")
