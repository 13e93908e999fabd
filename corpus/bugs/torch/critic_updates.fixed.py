"""A GAN for a one-dimensional mixture."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
discriminator = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
judge = nn.BCEWithLogitsLoss()

for step in range(40):
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    fake = generator(torch.randn(64, 3))
    fake_loss = judge(discriminator(fake), torch.ones(64, 1))
    fake_loss.backward()
    generator_optimizer.step()

    real = torch.randn(64, 1) * 0.2 + torch.randint(0, 2, (64, 1)) * 2 - 1
    real_loss = judge(discriminator(real), torch.ones(64, 1))
    real_loss = real_loss + judge(discriminator(fake.detach()), torch.zeros(64, 1))
    discriminator_optimizer.zero_grad()
    real_loss.backward()
    discriminator_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} generator {fake_loss.item():.4f} discriminator {real_loss.item():.4f}")
