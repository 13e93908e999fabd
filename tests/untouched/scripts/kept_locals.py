"""Trains in functions that keep their ``locals()`` or ``vars()``, or make a variable with ``exec``."""

import argparse

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


def train_with_arguments(steps=4):
    settings = vars()
    assert vars(argparse.Namespace(steps=steps)) == settings
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
    print(sorted(settings))


train()
train_with_arguments()
train_with_formula()
