"""What a script made is let go when nobody observes it any longer."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

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


def left() -> int:
    """How much of what the script made is there when it is over."""
    made = trained()
    gc.collect()
    return sum(each() is not None for each in made)


def test_nothing_is_kept_alive_after_a_run() -> None:
    """In a process of its own: the tests before it may have left something of theirs."""
    command = "import sys; from tests.observe.test_let_go import left; sys.exit(left())"
    assert subprocess.run([sys.executable, "-c", command], cwd=Path(__file__).parents[2]).returncode == 0
