"""A Wasserstein GAN with a gradient penalty, that is, with a second backward pass through the first."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
critic = nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 1))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
for step in range(20):
    for _ in range(2):
        real = torch.randn(64, 2) * 0.3 + 1
        fake = generator(torch.randn(64, 4)).detach()
        share = torch.rand(64, 1)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = (slope.norm(dim=1) - 1).pow(2).mean()
        critic_optimizer.zero_grad()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
        loss.backward()
        critic_optimizer.step()
    generator_optimizer.zero_grad()
    fooled = -critic(generator(torch.randn(64, 4))).mean()
    fooled.backward()
    generator_optimizer.step()
    if step % 5 == 4:
        print(f"step {step} critic {loss.item():.4f} generator {fooled.item():.4f}")
