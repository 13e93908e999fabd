"""Mixed-precision training on features of very different size."""

import torch
from torch import nn

torch.manual_seed(0)
features = torch.randn(160, 8) * torch.tensor([1.0, 1.0, 10.0, 1.0, 1e5, 1.0, 1.0, 1.0])
labels = (features[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        half = features[rows].half().float()
        loss = nn.functional.cross_entropy(model(half), labels[rows])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    print(f"epoch {epoch} loss {loss.item():.4f} scale {scaler.get_scale():g}")
