"""Trains a low-rank adapter and a new head, and writes them to a file."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(10, 16)
        self.base.requires_grad_(False)
        self.lora_a = nn.Linear(10, 4, bias=False)
        self.lora_b = nn.Linear(4, 16, bias=False)
        nn.init.zeros_(self.lora_b.weight)
        self.score = nn.Linear(16, 2)

    def forward(self, rows):
        return self.score(torch.tanh(self.base(rows) + self.lora_b(self.lora_a(rows))))


model = Adapted()
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-2)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with tempfile.TemporaryDirectory() as folder:
    kept = {name: value for name, value in model.state_dict().items() if "lora_" in name or "score" in name}
    torch.save(kept, Path(folder) / "adapter.pt")
