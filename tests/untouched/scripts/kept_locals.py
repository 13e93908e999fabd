"""Trains in a function that keeps its ``locals()``, and in one that makes a variable with ``exec``."""

import torch
from torch import nn


def train(width=6, rate=0.1, epochs=4):
    settings = locals()
    print(sorted(settings))
    model = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    rows = torch.randn(32, 4)
    for _ in range(epochs):
        optimizer.zero_grad()
        model(rows).square().mean().backward()
        optimizer.step()
    print(sorted(settings), settings["rate"])


def train_with_formula(formula="scale = 0.5"):
    exec(formula)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
    print("scale" in locals())


train()
train_with_formula()
