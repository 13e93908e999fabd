"""Bag-of-words classifier with a lower learning rate for its word vectors."""

import torch
from torch import nn

torch.manual_seed(0)
documents = torch.randint(0, 60, (150, 14))
classes = (documents < 20).sum(1).clamp(max=4) // 2


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(60, 16, mode="mean")
        self.norm = nn.LayerNorm(16)
        self.output = nn.Linear(16, 3)

    def forward(self, document):
        return self.output(self.norm(self.embedding(document)))


bag = Bag()
groups = [
    {"params": bag.embedding.parameters(), "lr": 5e-3},
    {"params": [*bag.norm.parameters(), *bag.output.parameters()], "lr": 2e-2},
]
optimizer = torch.optim.AdamW(groups, weight_decay=0.1)
for step in range(40):
    if step == 10:
        bag.embedding.requires_grad_(False)
    rows = torch.randint(0, len(documents), (50,))
    optimizer.zero_grad(set_to_none=False)
    loss = nn.functional.cross_entropy(bag(documents[rows]), classes[rows])
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
