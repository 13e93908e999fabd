"""Trains a head on an encoder from a checkpoint that a parallel run wrote."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def forward(self, rows):
        return self.head(self.encoder(rows))


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "published.pt"
    torch.save({f"module.{name}": value for name, value in Model().state_dict().items()}, path)
    state = torch.load(path, weights_only=True)
    state = {name.removeprefix("module."): value for name, value in state.items()}
    model = Model()
    model.load_state_dict(state, strict=False)
model.encoder.requires_grad_(False)
optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-2)
inputs = torch.randn(160, 8)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
