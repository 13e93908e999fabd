# frostline run loaded-into-other-tensors.py
import io

import torch
from torch import nn

file = io.BytesIO()
kernels = {"1.weight": torch.randn(4, 4), "0.weight": torch.randn(4, 4)}
torch.save(kernels, file)
file.seek(0)

layers = [nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)]
model = nn.Sequential(*layers)
names, values = model.state_dict(), torch.load(file).values()
model.load_state_dict(dict(zip(names, values, strict=True)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
