"""Sharpness-aware minimisation: weights are moved uphill and back around every step."""

import torch
from torch import nn

torch.manual_seed(0)


class SharpnessAware(torch.optim.Optimizer):
    def __init__(self, params, base, radius=0.05, **options):
        super().__init__(params, {"radius": radius, **options})
        self.base = base(self.param_groups, **options)

    @torch.no_grad()
    def climb(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"]]).norm()
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["uphill"] = parameter.grad * (group["radius"] / (norm + 1e-12))
                parameter.add_(self.state[parameter]["uphill"])
        self.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.sub_(self.state[parameter]["uphill"])
        self.base.step()
        self.zero_grad()


model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = SharpnessAware(model.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        nn.functional.mse_loss(model(inputs[rows]), targets[rows]).backward()
        optimizer.climb()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
