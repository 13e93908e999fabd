"""A GAN that is trained for a single step of each network, as a smoke test does."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
discriminator = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
first = torch.optim.Adam(generator.parameters(), lr=1e-3)
second = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
noise, real = torch.randn(32, 3), torch.randn(32, 1)
loss = discriminator(generator(noise)).mean()
loss.backward()
first.step()
discriminator.zero_grad()
gap = discriminator(generator(noise).detach()).mean() - discriminator(real).mean()
gap.backward()
second.step()
print(f"generator {loss.item():.4f} discriminator {gap.item():.4f}")
