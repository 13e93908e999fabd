"""Evaluates with an exponential average of the weights at the end of training."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(16, 16, bias=False)
        self.middle = nn.Linear(16, 16, bias=False)
        self.last = nn.Linear(16, 16, bias=False)

    def forward(self, rows):
        return self.last(torch.tanh(self.middle(torch.tanh(self.stem(rows)))))


class Average:
    def __init__(self, network, rate=0.1):
        self.network, self.rate = network, rate
        self.values = [p.detach().clone() for p in network.parameters() if p.requires_grad]

    def update(self):
        chosen = [p for p in self.network.parameters() if p.requires_grad]
        for value, parameter in zip(self.values, chosen, strict=True):
            value.lerp_(parameter.detach(), self.rate)

    def apply(self):
        chosen = [p for p in self.network.parameters() if p.requires_grad]
        for value, parameter in zip(self.values, chosen, strict=True):
            parameter.data.copy_(value)


network = Network()
network.stem.requires_grad_(False)
optimizer = torch.optim.Adam((p for p in network.parameters() if p.requires_grad), lr=3e-3)
average = Average(network)
inputs = torch.randn(160, 16)
targets = inputs.roll(1, dims=1).abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
        average.update()
    print(f"epoch {epoch} loss {loss.item():.4f}")
average.apply()
with torch.no_grad():
    print(f"averaged loss {nn.functional.mse_loss(network(inputs), targets).item():.4f}")
