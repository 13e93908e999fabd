"""A small denoising diffusion model with an average of its weights for sampling."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shares", torch.linspace(0.99, 0.05, 20))
        self.time = nn.Embedding(20, 8)
        self.body = nn.Sequential(nn.Linear(10, 48), nn.SiLU(), nn.Linear(48, 2))
        nn.init.zeros_(self.body[2].weight)
        nn.init.zeros_(self.body[2].bias)

    def forward(self, noisy, step):
        return self.body(torch.cat([noisy, self.time(step)], dim=1))


model = Denoiser()
average = copy.deepcopy(model).requires_grad_(False)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for number in range(60):
    clean = torch.randn(64, 2) * 0.1 + torch.randint(0, 2, (64, 1)) * 2 - 1
    step, noise = torch.randint(0, 20, (64,)), torch.randn(64, 2)
    share = model.shares[step].unsqueeze(1)
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(share.sqrt() * clean + (1 - share).sqrt() * noise, step), noise)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 0.05)
    if number % 20 == 19:
        print(f"step {number} loss {loss.item():.4f}")
