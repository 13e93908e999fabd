# frostline run update-rounded-away.py
import torch
from torch import nn

model = nn.Linear(8, 1).bfloat16()
nn.init.ones_(model.weight)
nn.init.ones_(model.bias)
# 1 - 0.00001 is 1 in bfloat16
optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.rand(16, 8).bfloat16()).mean().backward()
    optimizer.step()
