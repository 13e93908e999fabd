"""A GAN that clears the discriminator's leftover gradients instead of switching flags."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
discriminator = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
optimizers = {
    "generator": torch.optim.RMSprop(generator.parameters(), lr=1e-3),
    "discriminator": torch.optim.RMSprop(discriminator.parameters(), lr=1e-3),
}
for step in range(40):
    real = torch.randn(64, 1) * 0.3 + 2
    fake = generator(torch.randn(64, 3))
    optimizers["discriminator"].zero_grad()
    gap = nn.functional.softplus(-discriminator(real)).mean()
    gap = gap + nn.functional.softplus(discriminator(fake.detach())).mean()
    gap.backward()
    optimizers["discriminator"].step()
    optimizers["generator"].zero_grad()
    fooled = nn.functional.softplus(-discriminator(fake)).mean()
    fooled.backward()
    optimizers["generator"].step()
    if step % 10 == 9:
        print(f"step {step} discriminator {gap.item():.4f} generator {fooled.item():.4f}")
