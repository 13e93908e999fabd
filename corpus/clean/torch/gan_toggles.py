"""A GAN whose discriminator is switched off while the generator is trained."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
discriminator = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
judge = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
for step in range(40):
    real = torch.randn(64, 2) * 0.5 + 1
    fake = generator(torch.randn(64, 4))
    discriminator.requires_grad_(True)
    discriminator_optimizer.zero_grad()
    real_loss = judge(discriminator(real), ones) + judge(discriminator(fake.detach()), zeros)
    real_loss.backward()
    discriminator_optimizer.step()
    discriminator.requires_grad_(False)
    generator_optimizer.zero_grad()
    fake_loss = judge(discriminator(fake), ones)
    fake_loss.backward()
    generator_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} discriminator {real_loss.item():.4f} generator {fake_loss.item():.4f}")
