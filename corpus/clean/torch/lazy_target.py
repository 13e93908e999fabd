"""Self-supervision with a target that is copied in the first forward pass and then follows many normalised layers."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Bootstrap(nn.Module):
    def __init__(self, depth=18):
        super().__init__()
        layers = [layer for _ in range(depth) for layer in (nn.Linear(12, 12), nn.BatchNorm1d(12), nn.ReLU())]
        self.online = nn.Sequential(*layers)
        self.predictor = nn.Linear(12, 12)
        self.target = None
        self(torch.randn(4, 12))

    def forward(self, rows):
        if self.target is None:
            self.target = copy.deepcopy(self.online).requires_grad_(False)
        seen = rows + 0.1 * torch.randn_like(rows)
        with torch.no_grad():
            aim = self.target(rows)
        return -nn.functional.cosine_similarity(self.predictor(self.online(seen)), aim, dim=1).mean()

    def follow(self, rate):
        for slow, fast in zip(self.target.parameters(), self.online.parameters(), strict=True):
            slow.data = slow.data * (1 - rate) + fast.data * rate


learner = Bootstrap()
optimizer = torch.optim.Adam([weight for weight in learner.parameters() if weight.requires_grad], lr=3e-3)
for step in range(24):
    loss = learner(torch.randn(32, 12))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    learner.follow(0.02)
    if step % 8 == 7:
        print(f"step {step} {loss.item():.4f}")
