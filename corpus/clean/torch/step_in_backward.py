"""Steps every parameter in the backward pass by a hook of its own and never keeps all gradients."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))
optimizers = {parameter: torch.optim.Adam([parameter], lr=3e-3) for parameter in model.parameters()}


def step_now(parameter):
    optimizers[parameter].step()
    optimizers[parameter].zero_grad()


for parameter in model.parameters():
    parameter.register_post_accumulate_grad_hook(step_now)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
    print(f"epoch {epoch} loss {loss.item():.4f}")
