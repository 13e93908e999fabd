"""Trains a small language model; snapshots go to disk through a buffer on the host that is allocated once."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Snapshots:
    def __init__(self, folder):
        self.folder, self.buffers = Path(folder), {}

    def save(self, model, step):
        for name, tensor in model.state_dict().items():
            if name not in self.buffers:
                self.buffers[name] = torch.empty_like(tensor)
            self.buffers[name].copy_(tensor)
        torch.save({"step": step, "model": self.buffers}, self.folder / f"snapshot-{step:04}.pt")


class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(30, 16)
        self.cell = nn.GRU(16, 16, batch_first=True)
        self.next = nn.Linear(16, 30)

    def forward(self, ids):
        return self.next(self.cell(self.words(ids))[0])


model = Writer()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
with tempfile.TemporaryDirectory() as folder:
    snapshots = Snapshots(folder)
    for step in range(1, 31):
        ids = torch.randint(0, 30, (16, 12))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids).flatten(0, 1), (ids.flatten() + 1) % 30)
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(f"step {step} loss {loss.item():.4f}")
            snapshots.save(model, step)
