"""Tabular data with categorical embeddings, numerical columns and decay for matrices only."""

import torch
from torch import nn

torch.manual_seed(0)


class Tabular(nn.Module):
    def __init__(self):
        super().__init__()
        self.categories = nn.ModuleList([nn.Embedding(5, 3), nn.Embedding(12, 4)])
        self.numbers = nn.BatchNorm1d(6)
        self.layers = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, 1))

    def forward(self, codes, values):
        embedded = [table(codes[:, index]) for index, table in enumerate(self.categories)]
        return self.layers(torch.cat([*embedded, self.numbers(values)], dim=1))


model = Tabular()
matrices = [p for p in model.parameters() if p.ndim > 1]
vectors = [p for p in model.parameters() if p.ndim == 1]
optimizer = torch.optim.AdamW([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}], lr=5e-3)
codes = torch.stack([torch.randint(0, 5, (200,)), torch.randint(0, 12, (200,))], dim=1)
values = torch.randn(200, 6)
targets = values[:, :1] + (codes[:, :1] == 2)
for epoch in range(5):
    model.train()
    for rows in torch.randperm(200).split(40):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(codes[rows], values[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
