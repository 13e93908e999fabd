# frostline run saved-has-other-tensors.py
import copy

import torch

network = torch.nn.Linear(4, 1)
model = copy.deepcopy(network)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
torch.save(network.state_dict(), "/dev/null")
