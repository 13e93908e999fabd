"""Policy gradient with clipped ratios, a frozen reference and a value network."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
reference = copy.deepcopy(policy).eval().requires_grad_(False)
value = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], lr=3e-3)
goal = torch.randn(4, 3)
for epoch in range(6):
    state = torch.randn(128, 4)
    with torch.no_grad():
        old = torch.distributions.Categorical(logits=policy(state))
        action = old.sample()
        reward = (state @ goal).gather(1, action.unsqueeze(1)).squeeze(1)
        reward = reward - 0.1 * (old.log_prob(action) - reference(state).log_softmax(1)[range(128), action])
        before = old.log_prob(action)
    for rows in torch.randperm(128).split(32):
        expected = value(state[rows]).squeeze(1)
        gain = (reward[rows] - expected).detach()
        now = torch.distributions.Categorical(logits=policy(state[rows]))
        ratio = torch.exp(now.log_prob(action[rows]) - before[rows])
        loss = -torch.minimum(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
        loss = loss + 0.5 * nn.functional.mse_loss(expected, reward[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f} reward {reward.mean().item():.4f}")
