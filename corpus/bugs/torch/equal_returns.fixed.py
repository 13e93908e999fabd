"""A policy that learns which of five arms to pull from the returns of a group, without a critic."""

import torch
from torch import nn

torch.manual_seed(5)
policy = nn.Sequential(nn.Linear(6, 20), nn.Tanh(), nn.Linear(20, 5))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)


def returns(states, arms):
    return (arms == states[:, :5].argmax(-1)).float()


for _ in range(30):
    states = torch.randn(16, 6)
    chances = torch.distributions.Categorical(logits=policy(states))
    arms = chances.sample((8,))
    gained = returns(states, arms)
    advantage = (gained - gained.mean(0)) / (gained.std(0) + 1e-6)
    loss = -(advantage * chances.log_prob(arms)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"return {gained.mean().item():.3f}")
