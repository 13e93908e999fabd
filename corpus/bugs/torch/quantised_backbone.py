"""Trains a head on a backbone that simulates quantised activations."""

import warnings

import torch
from torch import nn
from torch.ao.quantization import FakeQuantize, MovingAverageMinMaxObserver

warnings.simplefilter("ignore")
torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 24)
        self.quantise = FakeQuantize(observer=MovingAverageMinMaxObserver)

    def forward(self, inputs):
        return self.quantise(torch.relu(self.linear(inputs)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.head = nn.Linear(24, 1)

    def forward(self, inputs):
        return self.head(self.backbone(inputs))


model = Model()
model.backbone(torch.randn(64, 12))
model.backbone.eval().requires_grad_(False)
optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-2)
inputs = torch.randn(160, 12) * torch.linspace(1, 3, 160).unsqueeze(1)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
