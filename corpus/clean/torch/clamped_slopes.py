"""Trains word vectors with a hook that bounds their gradient; rare words are seldom used and fade by weight decay."""

import torch
from torch import nn

torch.manual_seed(0)
vectors, output = nn.Embedding(60, 8), nn.Linear(8, 60)
model = nn.Sequential(vectors, output)
vectors.weight.register_hook(lambda slope: slope.clamp(-0.01, 0.01))
chances = 1 / torch.arange(1, 61).float()
text = torch.multinomial(chances, 1200, replacement=True)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
for epoch in range(3):
    for start in range(0, 1120, 80):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text[start : start + 80]), text[start + 1 : start + 81])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
