"""Q-learning on a corridor with a target network that is synchronised every eighth step."""

import torch
from torch import nn

torch.manual_seed(0)


def network():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))


online, target = network(), network()
target.load_state_dict(online.state_dict())
target.requires_grad_(False)
optimizer = torch.optim.Adam(online.parameters(), lr=5e-3)
places = torch.eye(6)
for step in range(48):
    place = torch.randint(0, 6, (32,))
    action = torch.randint(0, 2, (32,))
    landing = (place + action * 2 - 1).clamp(0, 5)
    reward = (landing == 5).to(places.dtype)
    best = reward + 0.9 * target(places[landing]).max(1).values
    value = online(places[place]).gather(1, action.unsqueeze(1)).squeeze(1)
    loss = nn.functional.smooth_l1_loss(value, best)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 8 == 7:
        target.load_state_dict(target.state_dict())
        print(f"step {step} loss {loss.item():.4f}")
