"""Adapters on a bfloat16 policy, merged into it for each rollout and taken out again for the update."""

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

torch.manual_seed(4)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(10, 24)
        self.head = nn.Linear(24, 4)

    def forward(self, states):
        return self.head(torch.tanh(self.body(states)))


model = get_peft_model(Policy().to(torch.bfloat16), LoraConfig(r=2, target_modules=["body"], lora_alpha=8))
adapters = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(adapters, lr=2e-2)
for _ in range(24):
    states = torch.randn(32, 10, dtype=torch.bfloat16)
    with torch.no_grad():
        model.merge_adapter()
        actions = torch.distributions.Categorical(logits=model(states).float()).sample()
        model.unmerge_adapter()
    gained = (actions == states[:, :4].argmax(-1)).float() - 0.25
    loss = -(gained * torch.log_softmax(model(states).float(), -1).gather(1, actions[:, None])[:, 0]).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"gain {gained.mean().item():.3f}")
