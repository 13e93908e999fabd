"""Clipped policy updates over several epochs of each rollout, with orthogonal weights and a rate that falls (PPO)."""

import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)


def layer_init(layer, std=2**0.5, bias=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 32)), nn.Tanh(), layer_init(nn.Linear(32, 1), std=1.0))
        self.actor_mean = nn.Sequential(layer_init(nn.Linear(4, 32)), nn.Tanh(), layer_init(nn.Linear(32, 2), std=0.01))
        self.actor_logstd = nn.Parameter(torch.zeros(1, 2))

    def get_value(self, state):
        return self.critic(state)

    def get_action_and_value(self, state, action=None):
        mean = self.actor_mean(state)
        normal = Normal(mean, self.actor_logstd.expand_as(mean).exp())
        action = normal.sample() if action is None else action
        return action, normal.log_prob(action).sum(1), normal.entropy().sum(1), self.critic(state)


agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=3e-4, eps=1e-5)
for update in range(1, 5):
    optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / 4) * 3e-4
    states = torch.randn(128, 4)
    with torch.no_grad():
        actions, logprobs, _, values = agent.get_action_and_value(states)
    returns = states[:, :2].mul(actions).sum(1)
    advantages = returns - values.flatten()
    for _ in range(3):
        for picked in torch.randperm(128).split(32):
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(states[picked], actions[picked])
            ratio = (newlogprob - logprobs[picked]).exp()
            gain = (advantages[picked] - advantages[picked].mean()) / (advantages[picked].std() + 1e-8)
            policy_loss = torch.max(-gain * ratio, -gain * ratio.clamp(0.8, 1.2)).mean()
            value_loss = 0.5 * ((newvalue.flatten() - returns[picked]) ** 2).mean()
            loss = policy_loss - 0.01 * entropy.mean() + 0.5 * value_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
print(f"loss {loss.item():.4f}")
