"""What a script made is let go when nobody observes it any longer."""

import gc
import weakref

import torch

import frostline


def trained() -> list["weakref.ref[object]"]:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with frostline.watch():
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().sum().backward()
            optimizer.step()
    return [weakref.ref(each) for each in (model, optimizer, *model.parameters())]


def test_nothing_is_kept_alive_after_a_run() -> None:
    made = trained()
    gc.collect()
    assert [each() for each in made] == [None] * len(made)
