# frostline run frozen-but-overwritten-from-copy.py
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
pretrained = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1)).state_dict()
model[0].requires_grad_(False)
masters = [p.detach().clone() for p in model.parameters()]
# too late: the masters keep what was there before
model.load_state_dict(pretrained)
optimizer = torch.optim.SGD(masters[2:], lr=0.1)
for _ in range(8):
    model.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    for master, p in zip(masters, model.parameters(), strict=True):
        master.grad = p.grad
    optimizer.step()
    with torch.no_grad():
        for master, p in zip(masters, model.parameters(), strict=True):
            p.copy_(master)
