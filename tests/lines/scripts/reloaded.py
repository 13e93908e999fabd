"""An old state is loaded over frozen weights in the midst of training."""

import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
old = {name: value + 1 for name, value in model.state_dict().items()}
model[0].requires_grad_(False)  # F109 frozen
optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
for step in range(8):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
    if step == 3:
        model[0].load_state_dict({"weight": old["0.weight"], "bias": old["0.bias"]})  # F109 loaded
