"""Two-stage training that goes back to the best weights when the second stage does not improve."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(200, 9)
targets = (inputs[:, :1] * inputs[:, 1:2] + inputs[:, 2:3]).tanh() + torch.randn(200, 1) * 0.3


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(9, 24)
        self.head = nn.Linear(24, 1)

    def forward(self, rows):
        return self.head(torch.tanh(self.encoder(rows)))


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
best = copy.deepcopy(model.state_dict())
for epoch in range(10):
    if epoch == 2:
        best = copy.deepcopy(model.state_dict())
    if epoch == 4:
        model.encoder.requires_grad_(False)
        optimizer = torch.optim.SGD(model.head.parameters(), lr=0.05)
    for batch, target in zip(inputs[:160].split(32), targets[:160].split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    if epoch == 7:
        model.load_state_dict(best)
    with torch.no_grad():
        held_out = nn.functional.mse_loss(model(inputs[160:]), targets[160:])
    print(f"epoch {epoch} loss {loss.item():.4f} held out {held_out.item():.4f}")
