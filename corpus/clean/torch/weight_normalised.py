"""A sequence model with weight-normalised convolutions, all trained."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)
series = torch.sin(torch.arange(500) * 0.3) + torch.randn(500) * 0.05
windows = series.unfold(0, 17, 2).unsqueeze(1)
model = nn.Sequential(
    weight_norm(nn.Conv1d(1, 8, 3)),
    nn.ReLU(),
    weight_norm(nn.Conv1d(8, 8, 3)),
    nn.ReLU(),
    nn.Flatten(),
    weight_norm(nn.Linear(96, 1)),
)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(5):
    for rows in torch.randperm(len(windows)).split(40):
        batch = windows[rows]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch[:, :, :16]), batch[:, :, 16])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
