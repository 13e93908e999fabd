# frostline run steps-skipped.py
import torch
from torch import nn

model = nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu")
for _ in range(4):
    optimizer.zero_grad()
    # every step overflows
    loss = model(torch.randn(16, 8)).square().mean() * float("inf")
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
