"""Rewards are compared within a group; adapters are merged for each rollout, and the base is put back (GRPO)."""

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(16, 24)
        self.up, self.down, self.head = nn.Linear(24, 48), nn.Linear(48, 24), nn.Linear(24, 16)

    def forward(self, ids):
        hidden = self.words(ids)
        return self.head(hidden + self.down(functional.silu(self.up(hidden))))


policy = get_peft_model(Policy().to(torch.bfloat16), LoraConfig(r=4, target_modules=["up", "down"]))
for parameter in policy.parameters():
    if parameter.requires_grad:
        parameter.data = parameter.data.float()
optimizer = torch.optim.AdamW([each for each in policy.parameters() if each.requires_grad], lr=3e-3)


def rollout(prompts):
    base = {name: each.detach().clone() for name, each in policy.named_parameters() if "base_layer" in name}
    policy.merge_adapter()
    with torch.no_grad():
        drawn = torch.distributions.Categorical(logits=policy(prompts).float()).sample()
    policy.unmerge_adapter()
    with torch.no_grad():
        for name, each in policy.named_parameters():
            if name in base:
                each.copy_(base[name])
    return drawn


for _ in range(24):
    prompts = torch.randint(0, 16, (8, 1)).repeat_interleave(4, 0)
    drawn = rollout(prompts)
    rewards = (drawn == (prompts + 1) % 16).float().sum(1) + 0.1 * torch.rand(len(prompts))
    groups = rewards.view(8, 4)
    gains = ((groups - groups.mean(1, keepdim=True)) / (groups.std(1, keepdim=True) + 1e-4)).flatten()
    with policy.disable_adapter(), torch.no_grad():
        reference = functional.log_softmax(policy(prompts).float(), -1).gather(2, drawn[..., None])[..., 0]
    logprobs = functional.log_softmax(policy(prompts).float(), -1).gather(2, drawn[..., None])[..., 0]
    divergence = (reference - logprobs).exp() - (reference - logprobs) - 1
    loss = -((logprobs - logprobs.detach()).exp() * gains[:, None] - 0.04 * divergence).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"reward {rewards.mean().item():.4f}")
