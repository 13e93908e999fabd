"""A small training engine with modifiers that act when an epoch starts."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 16), nn.Tanh())
        self.decoder = nn.Linear(16, 3)

    def forward(self, inputs):
        return self.decoder(self.encoder(inputs))


class CloseModule:
    """Turns a part of the network off when its epoch comes."""

    def __init__(self, part, epoch):
        self.part, self.epoch = part, epoch

    def on_epoch(self, network, epoch):
        if epoch == self.epoch:
            for parameter in getattr(network, self.part).parameters():
                parameter.requires_grad = False
                parameter.grad = None


inputs = torch.randn(160, 12)
targets = inputs[:, :3] * 2 + torch.randn(160, 3) * 0.1
network = Network()
optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
modifiers = [CloseModule("encoder", epoch=2)]

for epoch in range(6):
    for modifier in modifiers:
        modifier.on_epoch(network, epoch)
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.grad = None
        loss = nn.functional.mse_loss(network(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
