"""A siamese network without negatives: one branch is detached (SimSiam)."""

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
predictor = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 16))
optimizer = torch.optim.SGD([*encoder.parameters(), *predictor.parameters()], lr=0.05, momentum=0.9)
points = torch.randn(160, 10)
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        left, right = (encoder(points[rows] + torch.randn(32, 10) * 0.2) for _ in range(2))
        loss = -functional.cosine_similarity(predictor(left), right.detach()).mean() / 2
        loss = loss - functional.cosine_similarity(predictor(right), left.detach()).mean() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
