"""Bayesian regression by stochastic gradient Langevin dynamics on a fixed basis."""

import torch
from torch import nn

torch.manual_seed(0)


class Langevin(torch.optim.Optimizer):
    def __init__(self, params, lr, temperature):
        super().__init__(params, {"lr": lr, "temperature": temperature})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            spread = (2 * group["lr"] * group["temperature"]) ** 0.5
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-group["lr"])
                parameter.add_(torch.randn_like(parameter), alpha=spread)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.basis = nn.Linear(1, 32)
        self.weights = nn.Linear(32, 1)

    def forward(self, position):
        return self.weights(torch.sin(self.basis(position)))


position = torch.linspace(-2, 2, 120).unsqueeze(1)
height = torch.sin(3 * position) + torch.randn_like(position) * 0.1
model = Regressor()
model.basis.requires_grad_(False)
optimizer = Langevin(model.parameters(), lr=1e-2, temperature=1e-4)
for step in range(60):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(position), height)
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(f"step {step} loss {loss.item():.4f}")
