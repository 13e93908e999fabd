"""Deterministic policy gradients with softly averaged targets for actor and critic."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
actor = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1), nn.Tanh())
critic = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1))
slow_actor, slow_critic = copy.deepcopy(actor), copy.deepcopy(critic)
for parameter in [*slow_actor.parameters(), *slow_critic.parameters()]:
    parameter.requires_grad = False
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3)
for step in range(40):
    state = torch.randn(64, 3)
    action = torch.rand(64, 1) * 2 - 1
    reward = -(action - state[:, :1].tanh()).pow(2)
    following = state * 0.9
    wanted = reward + 0.9 * slow_critic(torch.cat([following, slow_actor(following)], dim=1))
    error = nn.functional.mse_loss(critic(torch.cat([state, action], dim=1)), wanted)
    critic_optimizer.zero_grad()
    error.backward()
    critic_optimizer.step()
    gain = -critic(torch.cat([state, actor(state)], dim=1)).mean()
    actor_optimizer.zero_grad()
    gain.backward()
    actor_optimizer.step()
    for fast, slow in ((actor, slow_actor), (critic, slow_critic)):
        for source, target in zip(fast.parameters(), slow.parameters(), strict=True):
            target.data.copy_(0.99 * target.data + 0.01 * source.data)
    if step % 10 == 9:
        print(f"step {step} critic {error.item():.4f} actor {gain.item():.4f}")
