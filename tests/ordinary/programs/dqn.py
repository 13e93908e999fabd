"""Q-learning with a target network that is copied from the online network every ten steps."""

import torch
from torch import nn

torch.manual_seed(0)
q = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 2))
target = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 2))
target.load_state_dict(q.state_dict())
optimizer = torch.optim.Adam(q.parameters(), lr=1e-3)

for step in range(90):
    states, rewards, following = torch.randn(32, 4), torch.randn(32), torch.randn(32, 4)
    actions = torch.randint(0, 2, (32, 1))
    with torch.no_grad():
        goals = rewards + 0.9 * target(following).max(1).values
    loss = nn.functional.smooth_l1_loss(q(states).gather(1, actions).squeeze(1), goals)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        target.load_state_dict(q.state_dict())
