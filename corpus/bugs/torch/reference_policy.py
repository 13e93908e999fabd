"""Policy gradient on a bandit with a penalty for leaving the reference policy."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 5))
        self.reference = copy.deepcopy(self.policy)


agent = Agent()
agent.reference.eval()
optimizer = torch.optim.Adam(agent.parameters(), lr=5e-3)
goal = torch.randn(4, 5)
for step in range(40):
    context = torch.randn(64, 4)
    scores = agent.policy(context).log_softmax(1)
    action = torch.distributions.Categorical(logits=scores.detach()).sample()
    reward = (context @ goal).gather(1, action.unsqueeze(1)).squeeze(1)
    chosen = scores.gather(1, action.unsqueeze(1)).squeeze(1)
    kept = agent.reference(context).log_softmax(1)
    penalty = nn.functional.kl_div(kept, scores, log_target=True, reduction="batchmean")
    loss = -(chosen * (reward - reward.mean())).mean() + 0.1 * penalty
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f} penalty {penalty.item():.5f}")
