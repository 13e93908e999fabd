"""A Wasserstein GAN with weight clipping of the whole critic and five critic steps per generator step."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
critic = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
generator_optimizer = torch.optim.RMSprop(generator.parameters(), lr=5e-4)
critic_optimizer = torch.optim.RMSprop(critic.parameters(), lr=5e-4)
for step in range(15):
    for parameter in critic.parameters():
        parameter.requires_grad_(True)
    for _ in range(5):
        real = torch.randn(64, 2) * 0.3 + 1
        fake = generator(torch.randn(64, 4)).detach()
        critic_optimizer.zero_grad()
        gap = critic(fake).mean() - critic(real).mean()
        gap.backward()
        critic_optimizer.step()
        with torch.no_grad():
            for parameter in critic.parameters():
                parameter.clamp_(-0.01, 0.01)
    for parameter in critic.parameters():
        parameter.requires_grad_(False)
    generator_optimizer.zero_grad()
    loss = -critic(generator(torch.randn(64, 4))).mean()
    loss.backward()
    generator_optimizer.step()
    if step % 5 == 4:
        print(f"step {step} gap {gap.item():.5f} loss {loss.item():.5f}")
