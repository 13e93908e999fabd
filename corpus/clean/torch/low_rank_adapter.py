"""LoRA by hand: B starts at zero, so A has a zero gradient in the first step."""

import torch
from torch import nn

torch.manual_seed(0)


class LowRank(nn.Module):
    def __init__(self, base, rank=4):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, rows):
        return self.base(rows) + rows @ self.lora_a.t() @ self.lora_b.t()


model = nn.Sequential(LowRank(nn.Linear(12, 24)), nn.ReLU(), LowRank(nn.Linear(24, 1)))
optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.05)
inputs = torch.randn(160, 12)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
