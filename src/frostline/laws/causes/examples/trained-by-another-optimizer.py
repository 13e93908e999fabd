# frostline run trained-by-another-optimizer.py
import torch
from torch import nn

generator = nn.Linear(4, 8)
critic = nn.Linear(8, 1)
# the critic by mistake
both = [*generator.parameters(), *critic.parameters()]
for_generator = torch.optim.SGD(both, lr=0.1)
for_critic = torch.optim.SGD(critic.parameters(), lr=0.1)
for _ in range(4):
    for_critic.zero_grad()
    fake = generator(torch.randn(16, 4)).detach()
    (critic(fake).mean() - critic(torch.randn(16, 8)).mean()).backward()
    for_critic.step()
    for_generator.zero_grad()
    (-critic(generator(torch.randn(16, 4))).mean()).backward()
    for_generator.step()
