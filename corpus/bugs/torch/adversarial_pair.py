"""A small GAN on a ring of points."""

import itertools
import math

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
discriminator = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
everything = itertools.chain(generator.parameters(), discriminator.parameters())
generator_optimizer = torch.optim.Adam(everything, lr=2e-3)
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3)
judge = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)

for step in range(40):
    angle = torch.rand(64, 1) * 2 * math.pi
    real = torch.cat([angle.cos(), angle.sin()], dim=1)
    fake = generator(torch.randn(64, 4))
    discriminator_optimizer.zero_grad()
    real_loss = judge(discriminator(real), ones) + judge(discriminator(fake.detach()), zeros)
    real_loss.backward()
    discriminator_optimizer.step()
    generator_optimizer.zero_grad()
    fake_loss = judge(discriminator(fake), ones)
    fake_loss.backward()
    generator_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} discriminator {real_loss.item():.4f} generator {fake_loss.item():.4f}")
