"""Learns the vector of one added token; the rest of the vocabulary is written back after every step."""

import torch
from torch import nn

torch.manual_seed(0)
old = 30
embedding, output = nn.Embedding(old + 1, 12), nn.Linear(12, 2)
model = nn.Sequential(embedding, nn.AdaptiveAvgPool2d((1, 12)), nn.Flatten(), output)
texts = torch.randint(0, old, (160, 6))
labels = torch.randint(0, 2, (160,))
texts[:, 0] = old
vocabulary = embedding.weight.detach().clone()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(5):
    for text, label in zip(texts.split(32), labels.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text), label)
        loss.backward()
        embedding.weight.grad[:old] = 0
        optimizer.step()
        with torch.no_grad():
            embedding.weight[:old] = vocabulary[:old]
    print(f"epoch {epoch} loss {loss.item():.4f}")
