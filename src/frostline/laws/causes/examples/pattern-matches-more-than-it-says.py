# frostline run --frozen '1**' pattern-matches-more-than-it-says.py
import torch
from torch import nn

model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(11)))
for index in (1, 10):  # 10 as well, and the pattern does not tell
    model[index].requires_grad_(False)
trainable = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(trainable, lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 4)).square().mean().backward()
    optimizer.step()
