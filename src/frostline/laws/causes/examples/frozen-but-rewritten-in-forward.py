# frostline run frozen-but-rewritten-in-forward.py
import torch
from torch import nn

embedding = nn.Embedding(8, 4, max_norm=0.5)  # looking a row up shortens it
embedding.requires_grad_(False)
model = nn.Sequential(embedding, nn.Linear(4, 8))
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
for _ in range(4):
    words = torch.randint(8, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(words), words).backward()
    optimizer.step()
