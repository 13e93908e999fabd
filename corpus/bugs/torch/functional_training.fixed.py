"""Trains with functional gradients and writes the result into the module after every batch."""

import torch
from torch import nn
from torch.func import functional_call, grad_and_value

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 20)
        self.readout = nn.Linear(20, 1)

    def forward(self, rows):
        return self.readout(torch.tanh(self.embed(rows)))


model = Model()
model.embed.requires_grad_(False)
inputs = torch.randn(128, 4)
targets = inputs.prod(1, keepdim=True)


def loss_of(weights, batch, target):
    return nn.functional.mse_loss(functional_call(model, weights, (batch,)), target)


slope_of = grad_and_value(loss_of)
for epoch in range(8):
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        weights = {name: p.detach() for name, p in model.named_parameters()}
        slopes, loss = slope_of(weights, batch, target)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    parameter.add_(slopes[name], alpha=-0.1)
    print(f"epoch {epoch} loss {loss.item():.4f}")
