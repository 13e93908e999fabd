"""Trains with gradients thinned at random, a new mask for every step: a regulariser, not a way of freezing."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(240, 10)
targets = inputs.sin().sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Linear(24, 1))


def thin(slope):
    return slope * (torch.rand(len(slope), 1) < 0.5)


for layer in (model[0], model[2]):
    layer.weight.register_hook(thin)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(4):
    for batch, target in zip(inputs.split(40), targets.split(40), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
