"""Scales the loss as a gradient scaler does, and divides the gradients by the scale in a line of its own."""

import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(128, 10)
labels = (rows[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.Linear(32, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for _ in range(30):
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        loss = nn.functional.cross_entropy(model(rows).float(), labels)
    scaler.scale(loss).backward()
    for parameter in model.parameters():
        parameter.grad /= scaler.get_scale()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
print(f"loss {loss.item():.4f}")
