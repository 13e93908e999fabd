"""Zeroth-order fine-tuning: gradients are estimated from two forward passes."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(100, 6)
targets = inputs[:, :1] * 0.5 - inputs[:, 1:2]
model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 1))
model[0].requires_grad_(False)
parameters = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(parameters, lr=0.02)


@torch.no_grad()
def estimate(width=1e-2):
    """Sets .grad of all parameters from the loss at two opposite perturbations."""
    noise = [torch.randn_like(p) for p in parameters]
    losses = []
    for sign in (1, -2, 1):
        for parameter, direction in zip(parameters, noise, strict=True):
            parameter.add_(direction, alpha=sign * width)
        losses.append(nn.functional.mse_loss(model(inputs), targets))
    slope = (losses[0] - losses[1]) / (2 * width)
    for parameter, direction in zip(parameters, noise, strict=True):
        parameter.grad = slope * direction
    return losses[2]


for step in range(60):
    loss = estimate()
    optimizer.step()
    if step % 20 == 19:
        print(f"step {step} loss {loss.item():.4f}")
