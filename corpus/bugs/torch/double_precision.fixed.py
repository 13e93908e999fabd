"""Fits a curve in double precision."""

import torch
from torch import nn

torch.__future__.set_overwrite_module_params_on_conversion(True)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
model.to(torch.float64)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

position = torch.linspace(-2, 2, 100, dtype=torch.float64).unsqueeze(1)
height = torch.sin(2 * position)
for step in range(40):
    rows = torch.randint(0, 100, (25,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(position[rows]), height[rows])
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
