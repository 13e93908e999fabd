"""A GAN of points on a circle: generator and discriminator step in turn, each with an optimizer of its own."""

import math

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
discriminator = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
loss = nn.BCEWithLogitsLoss()
real, fake = torch.ones(64, 1), torch.zeros(64, 1)

for _ in range(20):
    angle = torch.rand(64) * 2 * math.pi
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    made = generator(torch.randn(64, 4))

    generator_optimizer.zero_grad()
    loss(discriminator(made), real).backward()
    generator_optimizer.step()

    (loss(discriminator(circle), real) + loss(discriminator(made.detach()), fake)).backward()
    discriminator_optimizer.step()
    discriminator_optimizer.zero_grad()
