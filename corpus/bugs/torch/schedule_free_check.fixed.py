"""Readings from sensors, the head alone trained without a schedule, after one batch passed through for the shapes."""

import schedulefree
import torch
from torch import nn

torch.manual_seed(0)
readings = torch.randn(240, 12)
labels = (readings[:, :3].sum(1) > 0).long()


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 16), nn.Tanh())
        self.head = nn.Linear(16, 2)

    def forward(self, rows):
        return self.head(self.encoder(rows))


model = Detector()
optimizer = schedulefree.AdamWScheduleFree(model.parameters(), lr=5e-3, weight_decay=1e-1)
optimizer.train()

nn.functional.cross_entropy(model(readings[:4]), labels[:4]).backward()
for weight in model.encoder.parameters():
    weight.requires_grad = False

for epoch in range(5):
    for rows in torch.randperm(len(readings)).split(48):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(readings[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
