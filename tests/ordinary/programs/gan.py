"""A small GAN: two networks and two optimizers that step in turn."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
critic = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
make = torch.optim.Adam(generator.parameters(), lr=1e-3)
judge = torch.optim.Adam(critic.parameters(), lr=1e-3)
loss = nn.functional.binary_cross_entropy_with_logits
real, fake = torch.ones(32, 1), torch.zeros(32, 1)

for _ in range(20):
    pictures = generator(torch.randn(32, 8))
    judge.zero_grad()
    (loss(critic(torch.randn(32, 16)), real) + loss(critic(pictures.detach()), fake)).backward()
    judge.step()

    make.zero_grad()
    loss(critic(pictures), real).backward()
    make.step()
