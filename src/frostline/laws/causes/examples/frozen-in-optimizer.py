# frostline run frozen-in-optimizer.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
pretrained = {"weight": torch.randn(8, 8), "bias": torch.randn(8)}
model[0].load_state_dict(pretrained)
model[0].requires_grad_(False)
# holds the frozen layer too
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
