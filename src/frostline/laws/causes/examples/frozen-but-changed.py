# frostline run frozen-but-changed.py
import torch

model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 1))
model[0].requires_grad_(False)
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
# a view of the same memory, of which torch counts no writes
weights = model[0].weight.numpy()
for step in range(8):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    if step == 5:
        weights *= 1.01
    optimizer.step()
