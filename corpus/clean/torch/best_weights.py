"""Early stopping: the best weights are kept in memory and restored at the end."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs() + torch.randn(160, 1) * 0.5
best, best_loss, waited = None, float("inf"), 0
for epoch in range(30):
    for rows in torch.randperm(120).split(24):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        held_out = nn.functional.mse_loss(model(inputs[120:]), targets[120:]).item()
    print(f"epoch {epoch} loss {loss.item():.4f} held out {held_out:.4f}")
    if held_out < best_loss:
        best, best_loss, waited = copy.deepcopy(model.state_dict()), held_out, 0
    else:
        waited += 1
    if waited == 3:
        break
model.load_state_dict(best)
print(f"best {best_loss:.4f}")
