"""A policy held near a frozen reference, which is moved towards it now and then by loading a mixture of both."""

import copy

import torch
from torch import nn

torch.manual_seed(17)


def distance(policy, reference, states):
    with torch.no_grad():
        wanted = reference(states).softmax(1)
    return nn.functional.kl_div(policy(states).log_softmax(1), wanted, reduction="batchmean")


policy = nn.Sequential(nn.Linear(6, 24), nn.BatchNorm1d(24), nn.Tanh(), nn.Linear(24, 3))
reference = copy.deepcopy(policy).eval().requires_grad_(False)
optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)

for step in range(1, 41):
    states = torch.randn(32, 6)
    actions = states[:, :3].argmax(1)
    loss = nn.functional.cross_entropy(policy(states), actions) + 0.1 * distance(policy, reference, states)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 0:
        ours, theirs = policy.state_dict(), reference.state_dict()
        mixed = {name: 0.6 * ours[name] + 0.4 * theirs[name] for name in theirs}
        reference.load_state_dict(mixed)
print("loss", loss.item())
