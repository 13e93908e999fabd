"""Fine-tunes a published classifier of signals; its file was written by another training framework."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Signals(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(2, 12, 5, padding=2)
        self.mixer = nn.Conv1d(12, 12, 3, padding=1)
        self.head = nn.Linear(12, 3)

    def forward(self, waves):
        return self.head(torch.relu(self.mixer(torch.relu(self.stem(waves)))).mean(2))


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "signals.ckpt"
    published = Signals()
    for weight in published.parameters():
        nn.init.normal_(weight, std=0.3)
    torch.save(
        {"epoch": 90, "state_dict": {f"net.{name}": value for name, value in published.state_dict().items()}}, path
    )
    state = torch.load(path)["state_dict"]

model = Signals()
own = model.state_dict()
state = {name: value for name, value in state.items() if name in own}
own.update(state)
model.load_state_dict(own)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
waves = torch.randn(160, 2, 32)
labels = waves.mean((1, 2)).mul(20).long().remainder(3)
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(waves[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
