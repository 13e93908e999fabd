"""A critic with an exponentially averaged target."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.extractor = nn.Linear(6, 24)
        self.critic_head = nn.Linear(24, 1)

    def forward(self, state):
        return self.critic_head(torch.relu(self.extractor(state)))


critic = Critic()
target = copy.deepcopy(critic).requires_grad_(False)
optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3)


@torch.no_grad()
def follow(rate):
    for (name, slow), fast in zip(target.named_parameters(), critic.parameters(), strict=True):
        if "critic" in name:
            slow.lerp_(fast, rate)


for step in range(40):
    state = torch.randn(64, 6)
    following = state * 0.9 + torch.randn(64, 6) * 0.1
    wanted = state[:, :1] + 0.9 * target(following)
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(critic(state), wanted)
    loss.backward()
    optimizer.step()
    follow(0.05)
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
