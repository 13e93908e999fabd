"""What a script made is let go when nobody observes it any longer."""

import gc
import weakref

import torch

import frostline


def trained() -> "weakref.ref[torch.nn.Module]":
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with frostline.watch():
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().sum().backward()
            optimizer.step()
    return weakref.ref(model)


def test_a_model_is_not_kept_alive_after_its_run() -> None:
    model = trained()
    gc.collect()
    assert model() is None
