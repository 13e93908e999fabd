"""A Wasserstein GAN on two-dimensional points; the critic builds on fixed random features."""

import torch
from torch import nn

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Linear(2, 32)
        self.features.requires_grad_(False)
        self.score = nn.Sequential(nn.Linear(32, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def forward(self, points):
        return self.score(torch.cos(self.features(points)))


generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
critic = Critic()
generator_optimizer = torch.optim.RMSprop(generator.parameters(), lr=5e-4)
critic_optimizer = torch.optim.RMSprop(critic.score.parameters(), lr=5e-4)

for step in range(30):
    for _ in range(3):
        real = torch.randn(64, 2) * 0.3 + 1
        fake = generator(torch.randn(64, 4)).detach()
        critic_optimizer.zero_grad()
        gap = critic(fake).mean() - critic(real).mean()
        gap.backward()
        critic_optimizer.step()
        for parameter in critic.score.parameters():
            parameter.data.clamp_(-0.1, 0.1)
    generator_optimizer.zero_grad()
    loss = -critic(generator(torch.randn(64, 4))).mean()
    loss.backward()
    generator_optimizer.step()
    if step % 10 == 9:
        print(f"step {step} gap {gap.item():.5f} loss {loss.item():.5f}")
