"""Model-agnostic meta-learning: inner steps on fast copies, one outer step on the weights."""

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(30):
    total = 0.0
    for _ in range(3):
        shift, scale = torch.rand(2) * 2
        position = torch.rand(20, 1) * 4 - 2
        height = scale * torch.sin(position + shift)
        fast = dict(model.named_parameters())
        inner = nn.functional.mse_loss(functional_call(model, fast, (position[:10],)), height[:10])
        slopes = torch.autograd.grad(inner, list(fast.values()), create_graph=True)
        fast = {name: weight - 0.1 * slope for (name, weight), slope in zip(fast.items(), slopes, strict=True)}
        total = total + nn.functional.mse_loss(functional_call(model, fast, (position[10:],)), height[10:])
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {total.item():.4f}")
