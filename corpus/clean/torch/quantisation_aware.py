"""Quantisation-aware training; the observers are switched off for the last epochs."""

import warnings

import torch
from torch import nn
from torch.ao.quantization import FakeQuantize, MovingAverageMinMaxObserver, disable_observer

warnings.simplefilter("ignore")
torch.manual_seed(0)


class Quantised(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 24)
        self.first_quant = FakeQuantize(observer=MovingAverageMinMaxObserver)
        self.last = nn.Linear(24, 1)

    def forward(self, rows):
        return self.last(self.first_quant(torch.relu(self.first(rows))))


model = Quantised()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    if epoch == 4:
        model.apply(disable_observer)
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
