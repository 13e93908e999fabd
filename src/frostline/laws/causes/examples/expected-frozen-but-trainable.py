# frostline run --frozen '0.**' expected-frozen-but-trainable.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    # keeps the first layer still for now
    features = model[0](torch.randn(16, 8)).detach()
    model[1](features).square().mean().backward()
    optimizer.step()
