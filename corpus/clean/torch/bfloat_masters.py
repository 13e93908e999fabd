"""bfloat16 weights with full-precision copies in the optimizer: small updates are kept, not lost."""

import torch
from torch import nn

torch.manual_seed(0)
network = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1)).to(torch.bfloat16)
halves = list(network.parameters())
full = [p.detach().float().requires_grad_(True) for p in halves]
optimizer = torch.optim.AdamW(full, lr=5e-3)
inputs = torch.randn(160, 8).to(torch.bfloat16)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        loss = nn.functional.mse_loss(network(inputs[rows]), targets[rows])
        loss.backward()
        for wide, half in zip(full, halves, strict=True):
            wide.grad, half.grad = half.grad.float(), None
        optimizer.step()
        with torch.no_grad():
            for wide, half in zip(full, halves, strict=True):
                half.copy_(wide)
    print(f"epoch {epoch} loss {loss.item():.4f}")
