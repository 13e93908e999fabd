"""Pools the tokens of padded texts with a learned branch and classifies them."""

import torch
from torch import nn

torch.manual_seed(0)


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(30, 12, padding_idx=0)
        self.branch = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 12))
        self.first = nn.Linear(12, 12)
        self.output = nn.Linear(24, 2)

    def forward(self, text):
        mask = (text == 0).unsqueeze(2)
        embedded = self.vectors(text)
        pooled = (self.branch(embedded) * mask).sum(1)
        return self.output(torch.cat([pooled, self.first(embedded[:, 0])], dim=1))


texts = torch.randint(1, 30, (160, 6))
labels = (texts[:, 0] > 15).long()
model = Pooled()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    for text, label in zip(texts.split(32), labels.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text), label)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
