"""Two sessions of one training: model, optimizer and schedule are built anew and restored."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()


def session(path, epochs):
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    model[0].requires_grad_(False)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=5e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if path.exists():
        saved = torch.load(path, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    for epoch in range(epochs):
        for rows in torch.randperm(160).split(32):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
        schedule.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
    torch.save({name: part.state_dict() for name, part in parts.items()}, path)


with tempfile.TemporaryDirectory() as folder:
    checkpoint = Path(folder) / "run.pt"
    session(checkpoint, 3)
    session(checkpoint, 3)
