"""A GAN whose discriminator sees real and fake in backward passes of their own, with one step for both."""

import torch
from torch import nn

torch.manual_seed(0)
painter = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 8))
critic = nn.Sequential(nn.Linear(8, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
painter_optimizer = torch.optim.Adam(painter.parameters(), lr=1e-3, betas=(0.5, 0.999))
judge = nn.BCEWithLogitsLoss()

for step in range(30):
    critic.zero_grad()
    judge(critic(torch.randn(32, 8) * 0.5 + 1), torch.ones(32, 1)).backward()
    painted = painter(torch.randn(32, 4))
    judge(critic(painted.detach()), torch.zeros(32, 1)).backward()
    critic_optimizer.step()

    painter.zero_grad()
    fooled = judge(critic(painted), torch.ones(32, 1))
    fooled.backward()
    painter_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} {fooled.item():.4f}")
