"""Saves a checkpoint mid-run, spoils the weights and goes on from the file."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()


def epoch():
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    return loss.item()


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "middle.pt"
    for number in range(3):
        print(f"epoch {number} loss {epoch():.4f}")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    for group in optimizer.param_groups:
        group["lr"] = 3.0
    print(f"too fast: loss {epoch():.4f}")
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for number in range(3, 6):
        print(f"epoch {number} loss {epoch():.4f}")
