"""A large vocabulary under AdamW: rows that never occur are only decayed."""

import torch
from torch import nn

torch.manual_seed(0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(500, 12, padding_idx=0)
        self.output = nn.Linear(12, 2)

    def forward(self, text):
        return self.output(self.vectors(text).mean(1))


reader = Reader()
optimizer = torch.optim.AdamW(reader.parameters(), lr=1e-2)
texts = torch.randint(0, 60, (160, 8))
labels = (texts[:, 0] > 30).long()
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(reader(texts[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
