# frostline run loaded-into-other-tensors.py
import io

import torch

model = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4, bias=False))
file = io.BytesIO()
torch.save({"1.weight": torch.randn(4, 4), "0.weight": torch.randn(4, 4)}, file)
file.seek(0)
names = model.state_dict()
model.load_state_dict(dict(zip(names, torch.load(file).values(), strict=True)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
