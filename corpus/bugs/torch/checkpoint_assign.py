"""Continues training from a saved state."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(10, 32)
        self.head = nn.Linear(32, 3)

    def forward(self, rows):
        return self.head(torch.relu(self.encoder(rows)))


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "start.pt"
    torch.save(Model().state_dict(), path)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.load_state_dict(torch.load(path, weights_only=True), assign=True)

inputs = torch.randn(150, 10)
labels = inputs[:, :3].argmax(1)
for epoch in range(5):
    for rows in torch.randperm(150).split(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
