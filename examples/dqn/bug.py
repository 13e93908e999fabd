"""Q-learning with a target network: walk along seven fields to the right end, where the reward is."""

import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
FIELDS = 7


class Values(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(32, 2)

    def forward(self, fields):
        return self.head(torch.relu(self.encoder(nn.functional.one_hot(fields, FIELDS).float())))


online = Values(nn.Linear(FIELDS, 32))
target = Values(online.encoder)
target.load_state_dict(online.state_dict())
target.requires_grad_(False)
optimizer = torch.optim.Adam([each for each in online.parameters() if each.requires_grad], lr=1e-2)

memory, field = [], 0
for step in range(200):
    action = random.randrange(2)
    reached = max(0, field - 1) if action == 0 else field + 1
    memory.append((field, action, float(reached == FIELDS - 1), reached))
    field = 0 if reached == FIELDS - 1 else reached
    if step % 5 or len(memory) < 32:
        continue
    before, actions, rewards, after = map(torch.tensor, zip(*random.sample(memory, 32), strict=True))
    wanted = rewards + 0.9 * target(after).max(1).values * (rewards == 0)
    loss = nn.functional.mse_loss(online(before).gather(1, actions[:, None])[:, 0], wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        target.load_state_dict(online.state_dict())
print(f"loss {loss:.4f}")
