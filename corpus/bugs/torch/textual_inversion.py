"""Learns one new concept vector in an embedding table by matching target features."""

import torch
from torch import nn

torch.manual_seed(0)
table = nn.Embedding(24, 8)
encoder = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 8))
encoder.requires_grad_(False)
concept = 23
prompts = torch.randint(0, 23, (100, 5))
prompts[:, 2] = concept
wanted = torch.randn(8)

optimizer = torch.optim.AdamW(table.parameters(), lr=5e-3, weight_decay=0.01)
for epoch in range(6):
    for prompt in prompts.split(20):
        optimizer.zero_grad()
        loss = (encoder(table(prompt).mean(1)) - wanted).pow(2).mean()
        loss.backward()
        others = torch.arange(24) != concept
        table.weight.grad[others] = 0
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.5f}")
