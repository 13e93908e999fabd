"""The whole step is compiled, backward pass and optimizer included; the embedding stays as it was loaded."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Embedding(32, 16), nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
model[0].weight.data.copy_(torch.randn(32, 16).sign())
model[0].requires_grad_(False)
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
tokens = torch.randint(0, 32, (160, 4))
labels = (tokens.sum(1) > 62).long()


@torch.compile(backend="eager")
def step(batch, label):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(batch), label)
    loss.backward()
    optimizer.step()
    return loss


for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        loss = step(tokens[rows], labels[rows])
    print(f"epoch {epoch} loss {loss.item():.4f}")
