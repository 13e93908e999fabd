"""Keeps all weights of a network in one flat tensor, as sharded training does, and steps that tensor."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
model[0].requires_grad_(False)


class FlatOptimizer:
    def __init__(self, parameters, lr):
        self.parameters = list(parameters)
        self.flat = nn.Parameter(torch.cat([p.detach().flatten() for p in self.parameters]))
        self.spans = []
        start = 0
        for parameter in self.parameters:
            stop = start + parameter.numel()
            parameter.data = self.flat.data[start:stop].view_as(parameter)
            self.spans.append((start, stop))
            start = stop
        self.inner = torch.optim.AdamW([self.flat], lr=lr, weight_decay=0.1)

    def step(self):
        self.flat.grad = torch.zeros_like(self.flat)
        for parameter, (start, stop) in zip(self.parameters, self.spans, strict=True):
            if parameter.grad is not None:
                self.flat.grad[start:stop] = parameter.grad.flatten()
                parameter.grad = None
        self.inner.step()


optimizer = FlatOptimizer(model.parameters(), lr=1e-2)
inputs = torch.randn(128, 8)
targets = inputs.sum(1, keepdim=True).sin()
for epoch in range(6):
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
