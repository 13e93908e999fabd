"""A head that is put in place late, and added to the optimizer."""

import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # F101 optimizer
added = nn.Linear(2, 2)
model.append(added)
optimizer.add_param_group({"params": added.parameters(), "weight_decay": 0.1})  # F101 group
for step in range(12):
    if step == 4:
        added.weight.requires_grad = False  # F101 frozen, D301 frozen
    optimizer.zero_grad(set_to_none=False)
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()  # F101 step
