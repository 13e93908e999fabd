# frostline run saved-values-differ.py
import torch

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
state = model.state_dict()
gathered = {name: torch.zeros_like(state[name]) for name in state}
torch.save(gathered, "/dev/null")  # and nobody filled them
