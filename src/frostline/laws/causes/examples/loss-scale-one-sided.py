# frostline run loss-scale-one-sided.py
import torch
from torch import nn

model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
for _ in range(8):
    optimizer.zero_grad()
    scaler.scale(model(torch.randn(16, 8)).square().mean()).backward()
    optimizer.step()  # scaler.step(optimizer) divides the gradients
