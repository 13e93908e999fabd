"""Twin critics at every step, the actor and all averaged targets at every second one (TD3)."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(4, 32), nn.Linear(32, 32), nn.Linear(32, 2)

    def forward(self, state):
        return torch.tanh(self.l3(functional.relu(self.l2(functional.relu(self.l1(state))))))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
        self.two = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, state, action):
        both = torch.cat([state, action], 1)
        return self.one(both), self.two(both)

    def first(self, state, action):
        return self.one(torch.cat([state, action], 1))


actor, critic = Actor(), Critic()
actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=3e-4)
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=3e-4)
states, actions = torch.randn(512, 4), torch.rand(512, 2) * 2 - 1
rewards, following = states[:, :2].mul(actions).sum(1, keepdim=True), states + 0.1 * torch.randn(512, 4)
for step in range(1, 49):
    picked = torch.randint(0, 512, (64,))
    state, action, reward, after = states[picked], actions[picked], rewards[picked], following[picked]
    with torch.no_grad():
        noise = (torch.randn_like(action) * 0.2).clamp(-0.5, 0.5)
        wanted = torch.min(*critic_target(after, (actor_target(after) + noise).clamp(-1, 1)))
        wanted = reward + 0.99 * wanted
    one, two = critic(state, action)
    critic_loss = functional.mse_loss(one, wanted) + functional.mse_loss(two, wanted)
    critic_optimizer.zero_grad()
    critic_loss.backward()
    critic_optimizer.step()
    if step % 2 == 0:
        actor_loss = -critic.first(state, actor(state)).mean()
        actor_optimizer.zero_grad()
        actor_loss.backward()
        actor_optimizer.step()
        for network, target in ((critic, critic_target), (actor, actor_target)):
            for trained, averaged in zip(network.parameters(), target.parameters(), strict=True):
                averaged.data.copy_(0.005 * trained.data + 0.995 * averaged.data)
print(f"critic {critic_loss.item():.4f} actor {actor_loss.item():.4f}")
