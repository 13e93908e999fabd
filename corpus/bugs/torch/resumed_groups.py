"""Trains in two sessions, saving and restoring model and optimizer."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(160, 16)
targets = (inputs[:, :1] * inputs[:, 1:2]).tanh()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 16)
        self.second = nn.Linear(16, 16)
        self.last = nn.Linear(16, 1)

    def forward(self, rows):
        return self.last(torch.tanh(self.second(torch.tanh(self.first(rows)))))


def session(path, order, epochs):
    model = Model()
    layers = [getattr(model, name) for name in order]
    optimizer = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=3e-3)
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for _ in range(epochs):
        for rows in torch.randperm(160).split(32):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    print(f"loss {loss.item():.4f}")


with tempfile.TemporaryDirectory() as folder:
    checkpoint = Path(folder) / "session.pt"
    session(checkpoint, ["first", "second", "last"], epochs=4)
    session(checkpoint, ["second", "first", "last"], epochs=4)
