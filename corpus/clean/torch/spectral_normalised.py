"""A discriminator with spectral normalisation on trained layers, both implementations."""

import torch
from torch import nn
from torch.nn.utils import spectral_norm as hooked_spectral_norm
from torch.nn.utils.parametrizations import spectral_norm

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
discriminator = nn.Sequential(
    spectral_norm(nn.Linear(2, 24)),
    nn.LeakyReLU(0.1),
    hooked_spectral_norm(nn.Linear(24, 24)),
    nn.LeakyReLU(0.1),
    nn.Linear(24, 1),
)
first = torch.optim.Adam(generator.parameters(), lr=1e-3)
second = torch.optim.Adam(discriminator.parameters(), lr=2e-3)
for step in range(30):
    real = torch.randn(64, 2) * 0.4 - 1
    fake = generator(torch.randn(64, 4))
    gap = torch.relu(1 - discriminator(real)).mean() + torch.relu(1 + discriminator(fake.detach())).mean()
    second.zero_grad()
    gap.backward()
    second.step()
    loss = -discriminator(fake).mean()
    first.zero_grad()
    loss.backward()
    first.step()
    if step % 10 == 9:
        print(f"step {step} discriminator {gap.item():.4f} generator {loss.item():.4f}")
