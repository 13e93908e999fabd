"""Matrix factorisation with sparse gradients: rows that no batch asks for never change."""

import torch
from torch import nn

torch.manual_seed(0)


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(400, 8, sparse=True)
        self.items = nn.Embedding(300, 8, sparse=True)

    def forward(self, pairs):
        return (self.users(pairs[:, 0]) * self.items(pairs[:, 1])).sum(1)


factors = Factors()
optimizer = torch.optim.SparseAdam(factors.parameters(), lr=2e-2)
pairs = torch.stack([torch.randint(0, 120, (400,)), torch.randint(0, 90, (400,))], dim=1)
ratings = torch.sin(pairs.sum(1) * 0.1)
for epoch in range(4):
    for rows in torch.randperm(400).split(50):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(factors(pairs[rows]), ratings[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
