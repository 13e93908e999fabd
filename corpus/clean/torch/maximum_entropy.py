"""A stochastic actor, twin critics with averaged targets, and a temperature that is learned (SAC)."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc_mean, self.fc_logstd = nn.Linear(4, 32), nn.Linear(32, 2), nn.Linear(32, 2)
        self.register_buffer("action_scale", torch.ones(2))
        self.register_buffer("action_bias", torch.zeros(2))

    def get_action(self, state):
        hidden = functional.relu(self.fc1(state))
        spread = -5 + 0.5 * 7 * (torch.tanh(self.fc_logstd(hidden)) + 1)
        normal = torch.distributions.Normal(self.fc_mean(hidden), spread.exp())
        drawn = normal.rsample()
        action = torch.tanh(drawn)
        density = normal.log_prob(drawn) - torch.log(self.action_scale * (1 - action**2) + 1e-6)
        return action * self.action_scale + self.action_bias, density.sum(1, keepdim=True)


def critic():
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))


actor, qf1, qf2 = Actor(), critic(), critic()
qf1_target, qf2_target = copy.deepcopy(qf1), copy.deepcopy(qf2)
q_optimizer = torch.optim.Adam([*qf1.parameters(), *qf2.parameters()], lr=1e-3)
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=3e-4)
log_alpha = torch.zeros(1, requires_grad=True)
a_optimizer = torch.optim.Adam([log_alpha], lr=1e-3)
states, actions = torch.randn(512, 4), torch.rand(512, 2) * 2 - 1
rewards, following = states[:, :2].mul(actions).sum(1, keepdim=True), states + 0.1 * torch.randn(512, 4)
for step in range(40):
    alpha = log_alpha.exp().item()
    picked = torch.randint(0, 512, (64,))
    state, after = states[picked], following[picked]
    with torch.no_grad():
        chosen, density = actor.get_action(after)
        both = torch.cat([after, chosen], 1)
        wanted = rewards[picked] + 0.99 * (torch.min(qf1_target(both), qf2_target(both)) - alpha * density)
    both = torch.cat([state, actions[picked]], 1)
    qf_loss = functional.mse_loss(qf1(both), wanted) + functional.mse_loss(qf2(both), wanted)
    q_optimizer.zero_grad()
    qf_loss.backward()
    q_optimizer.step()
    if step % 2 == 0:
        for _ in range(2):
            chosen, density = actor.get_action(state)
            both = torch.cat([state, chosen], 1)
            actor_loss = (alpha * density - torch.min(qf1(both), qf2(both))).mean()
            actor_optimizer.zero_grad()
            actor_loss.backward()
            actor_optimizer.step()
            with torch.no_grad():
                _, density = actor.get_action(state)
            alpha_loss = (-log_alpha.exp() * (density - 2)).mean()
            a_optimizer.zero_grad()
            alpha_loss.backward()
            a_optimizer.step()
            alpha = log_alpha.exp().item()
    for network, target in ((qf1, qf1_target), (qf2, qf2_target)):
        for trained, averaged in zip(network.parameters(), target.parameters(), strict=True):
            averaged.data.copy_(0.005 * trained.data + 0.995 * averaged.data)
print(f"critics {qf_loss.item():.4f} actor {actor_loss.item():.4f}")
