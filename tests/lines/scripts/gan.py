"""Two networks; the optimizer of one holds the other too."""

import torch
from torch import nn

generator = nn.Linear(4, 8)  # W404 made
critic = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
of_generator = torch.optim.Adam(generator.parameters(), 1e-3)  # W404 optimizer
of_critic = torch.optim.Adam([*critic.parameters(), *generator.parameters()], 1e-3)  # W404 optimizer
for _ in range(12):
    critic.requires_grad_(True)  # D301 unfrozen
    of_critic.zero_grad()
    (critic(torch.randn(16, 8)).mean() - critic(generator(torch.randn(16, 4))).mean()).backward()
    of_critic.step()  # W404 step
    critic.requires_grad_(False)  # D301 frozen
    of_generator.zero_grad()
    critic(generator(torch.randn(16, 4))).mean().neg().backward()
    of_generator.step()  # W404 step
