"""Measures what training gained, against the weights that it began with, and writes the model."""

import copy
import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
inputs = torch.randn(192, 8)
targets = inputs[:, :1].abs()


def held_out(state):
    model.load_state_dict(state)
    model.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(model(inputs[160:]), targets[160:]).item()


begun = copy.deepcopy(model.state_dict())
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
ended = copy.deepcopy(model.state_dict())
after, before = held_out(ended), held_out(begun)
print(f"held out {before:.4f} before, {after:.4f} after")
with tempfile.TemporaryDirectory() as folder:
    torch.save(model.state_dict(), Path(folder) / "model.pt")
