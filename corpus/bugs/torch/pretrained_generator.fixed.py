"""Prepares the optimizers of a GAN whose generator is warmed up first."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
discriminator = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def groups(network):
    """Matrices with decay, vectors without."""
    chosen = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in chosen if p.ndim > 1], "weight_decay": 1e-4},
        {"params": [p for p in chosen if p.ndim == 1], "weight_decay": 0.0},
    ]


generator_optimizer = torch.optim.AdamW(groups(generator), lr=2e-3)
discriminator_optimizer = torch.optim.AdamW(groups(discriminator), lr=2e-3)
discriminator.requires_grad_(False)

for step in range(40):
    real = torch.randn(64, 2) * 0.3 + 1
    fake = generator(torch.randn(64, 3))
    discriminator.requires_grad_(False)
    loss = nn.functional.softplus(-discriminator(fake)).mean()
    generator_optimizer.zero_grad()
    loss.backward()
    generator_optimizer.step()
    discriminator.requires_grad_(True)
    gap = nn.functional.softplus(discriminator(fake.detach())).mean()
    gap = gap + nn.functional.softplus(-discriminator(real)).mean()
    discriminator_optimizer.zero_grad()
    gap.backward()
    discriminator_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} generator {loss.item():.4f} discriminator {gap.item():.4f}")
