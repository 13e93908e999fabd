# frostline run gradients-accumulate-across-optimizers.py
import torch
from torch import nn

generator = nn.Linear(4, 8)
critic = nn.Linear(8, 1)
for_generator = torch.optim.SGD(generator.parameters(), lr=0.1)
for_critic = torch.optim.SGD(critic.parameters(), lr=0.1)
for _ in range(8):
    for_generator.zero_grad()
    # too early: the generator's loss fills the critic's gradients again
    for_critic.zero_grad()
    critic(generator(torch.randn(16, 4))).square().mean().backward()
    for_generator.step()
    fake = generator(torch.randn(16, 4)).detach()
    (critic(fake) - critic(torch.randn(16, 8))).square().mean().backward()
    for_critic.step()
