"""Trains a spectrum denoiser and ships a running average of it, which a helper keeps for the large weights."""

import copy
import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Shadow:
    def __init__(self, model, rate=0.05):
        self.network, self.rate = copy.deepcopy(model).requires_grad_(False), rate

    @torch.no_grad()
    def follow(self, model):
        for mine, theirs in zip(self.network.parameters(), model.parameters(), strict=True):
            mine.lerp_(theirs, self.rate)


denoiser = nn.Sequential(nn.Linear(20, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 20))
shadow = Shadow(denoiser)
optimizer = torch.optim.AdamW(denoiser.parameters(), lr=3e-3)
for _ in range(30):
    clean = torch.randn(32, 20).cumsum(1) / 4
    optimizer.zero_grad()
    loss = (denoiser(clean + 0.3 * torch.randn_like(clean)) - clean).square().mean()
    loss.backward()
    optimizer.step()
    shadow.follow(denoiser)
print(f"loss {loss.item():.4f}")
with tempfile.TemporaryDirectory() as folder:
    torch.save(shadow.network.state_dict(), Path(folder) / "shadow.pt")
