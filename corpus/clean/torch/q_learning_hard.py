"""Deep Q-learning with a target network copied every tenth step."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
online = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
target = copy.deepcopy(online)
target.eval()
optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)
places = torch.eye(6)
for step in range(60):
    place, action = torch.randint(0, 6, (32,)), torch.randint(0, 2, (32,))
    landing = (place + action * 2 - 1).clamp(0, 5)
    reward = (landing == 5).to(places.dtype)
    with torch.no_grad():
        best = reward + 0.9 * target(places[landing]).max(1).values
    value = online(places[place]).gather(1, action.unsqueeze(1)).squeeze(1)
    loss = nn.functional.smooth_l1_loss(value, best)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        target.load_state_dict(online.state_dict())
        print(f"step {step} loss {loss.item():.4f}")
