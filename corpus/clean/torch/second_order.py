"""A small network trained with LBFGS, whose step evaluates the loss several times."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5, line_search_fn="strong_wolfe")
position = torch.linspace(-2, 2, 80).unsqueeze(1)
height = torch.sin(2 * position)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(position), height)
    loss.backward()
    return loss


for step in range(20):
    loss = optimizer.step(closure)
    if step % 5 == 4:
        print(f"step {step} loss {loss.item():.5f}")
