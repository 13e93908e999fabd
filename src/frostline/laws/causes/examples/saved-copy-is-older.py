# frostline run saved-copy-is-older.py
import copy

import torch

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
best, best_loss = copy.deepcopy(model.state_dict()), float("inf")
for _ in range(4):
    optimizer.zero_grad()
    loss = model(torch.randn(8, 4)).square().mean()
    loss.backward()
    optimizer.step()
    if loss.item() > best_loss:  # turned round: the copy is never renewed
        best, best_loss = copy.deepcopy(model.state_dict()), loss.item()
torch.save(best, "/dev/null")
