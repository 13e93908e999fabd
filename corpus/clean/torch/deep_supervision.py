"""Auxiliary outputs at every depth share in the loss; the exit that is used later is one of them."""

import torch
from torch import nn

torch.manual_seed(0)


class Exits(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 16)])
        self.exits = nn.ModuleList(nn.Linear(16, 2) for _ in range(3))

    def forward(self, rows):
        results = []
        for layer, out in zip(self.layers, self.exits, strict=True):
            rows = torch.relu(layer(rows))
            results.append(out(rows))
        return results


model = Exits()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
inputs = torch.randn(160, 8)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        losses = [nn.functional.cross_entropy(out, labels[rows]) for out in model(inputs[rows])]
        loss = losses[-1] + 0.3 * sum(losses[:-1])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
