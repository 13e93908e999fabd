# frostline run trained-but-not-saved.py
import torch
from torch import nn

model = nn.Module()
model.base = nn.Linear(4, 4).requires_grad_(False)
model.lora_down = nn.Linear(4, 2, bias=False)
model.score = nn.Linear(2, 1)
trainable = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(trainable, lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    lowered = model.lora_down(model.base(torch.randn(8, 4)))
    model.score(lowered).square().mean().backward()
    optimizer.step()
state = model.state_dict()
adapter = {name: state[name] for name in state if "lora" in name}
torch.save(adapter, "/dev/null")
