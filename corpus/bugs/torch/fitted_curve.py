"""A regression fitted by a quasi-Newton method; the features are kept after the first rounds."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.linspace(-3, 3, 96).unsqueeze(1)
targets = torch.sin(2 * inputs) + 0.05 * torch.randn(96, 1)

network = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.LBFGS(network.parameters(), lr=0.1, max_iter=1)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(network(inputs), targets)
    loss.backward()
    return loss


for round_ in range(30):
    if round_ == 12:
        network[0].requires_grad_(False)
    loss = optimizer.step(closure)
print(f"loss {loss.item():.4f}")
