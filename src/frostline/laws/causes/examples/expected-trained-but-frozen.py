# frostline run --trained '1.**' expected-trained-but-frozen.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
for name, parameter in model.named_parameters():
    # the layers are called 0 and 1
    parameter.requires_grad = name.startswith("head")
model[1].bias.requires_grad = True
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
