"""Mixed precision by hand: an optimizer steps single-precision copies, which are written back after every step."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1)).bfloat16()
masters = [parameter.detach().float() for parameter in model.parameters()]
optimizer = torch.optim.AdamW(masters, lr=5e-3)
inputs = torch.randn(128, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(128).split(32):
        loss = nn.functional.mse_loss(model(inputs[rows].bfloat16()).float(), targets[rows])
        loss.backward()
        for master, parameter in zip(masters, model.parameters(), strict=True):
            master.grad, parameter.grad = parameter.grad.float(), None
        optimizer.step()
        with torch.no_grad():
            for master, parameter in zip(masters, model.parameters(), strict=True):
                parameter.copy_(master)
    print(f"epoch {epoch} loss {loss.item():.4f}")
