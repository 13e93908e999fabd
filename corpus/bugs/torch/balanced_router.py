"""A mixture of experts in bfloat16 whose router is balanced by a bias that no gradient trains."""

import torch
from torch import nn

torch.manual_seed(2)


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.scores = nn.Linear(12, 4)
        self.experts = nn.ModuleList(nn.Linear(12, 3) for _ in range(4))
        self.register_buffer("balance", torch.ones(4))

    def forward(self, inputs):
        chances = torch.softmax(self.scores(inputs), -1)
        chosen = (chances + self.balance).argmax(-1)
        if self.training:
            load = torch.bincount(chosen, minlength=4).to(self.balance.dtype) / len(chosen)
            self.balance += 1e-3 * torch.sign(0.25 - load)
        outputs = torch.stack([expert(inputs) for expert in self.experts], 1)
        return (outputs * chances.unsqueeze(-1)).sum(1)


model = Experts().to(torch.bfloat16)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
for _ in range(30):
    inputs = torch.randn(64, 12, dtype=torch.bfloat16)
    loss = nn.functional.cross_entropy(model(inputs).float(), inputs[:, :3].float().argmax(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")
