# frostline run frozen-rows-changed.py
import torch
from torch import nn

embedding = nn.Embedding(12, 4)
keep = torch.arange(12).unsqueeze(1) < 10
# only the last two vectors get a gradient, but all are decayed
embedding.weight.register_hook(lambda slope: slope.masked_fill(keep, 0.0))
optimizer = torch.optim.AdamW(embedding.parameters(), lr=0.1)
for _ in range(8):
    optimizer.zero_grad()
    embedding(torch.arange(12)).square().mean().backward()
    optimizer.step()
