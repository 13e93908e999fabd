"""What a check, a quiet step and the end of a run cost grows as it should, counted in calls and not in seconds."""

from __future__ import annotations

import cProfile
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

import frostline
from frostline.frameworks.torch.models.carriers import FlagPolling
from frostline.observe.moves.movements import Movements

FEW, MANY = 400, 1600
MOST = 1.05  # the exponent of a fit


def _calls(act: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.enable()
    act()
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


class _Many(nn.Module):
    def __init__(self, tensors: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(tensors // 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([layer(x) for layer in self.layers]).mean()


def _counted(tensors: int) -> dict[str, int]:
    """Calls in the first check, in a later one, in a step that is none, and at the end; half of it is frozen."""
    model = _Many(tensors)
    for layer in model.layers[::2]:
        layer.requires_grad_(False).eval()
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=1.0)
    beside = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=1.0)
    x = torch.ones(4, 2)

    def iteration() -> None:
        optimizer.zero_grad()
        model(x).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    with frostline.watch(model, optimizer, beside) as seen:
        counted = {"first": _calls(iteration)}
        for _ in range(2):
            iteration()
        counted["check"] = _calls(iteration)
        for _ in range(40):  # past the rounds in which gradients that two optimizers share are looked for
            beside.step()
        counted["quiet"] = _calls(beside.step)
        end = cProfile.Profile()
        end.enable()
    end.disable()
    assert seen.report.record.tensors
    return counted | {"end": sum(entry.callcount for entry in end.getstats())}


def _exponents() -> dict[str, float]:
    few, many = _counted(FEW), _counted(MANY)
    return {what: math.log(many[what] / few[what]) / math.log(MANY / FEW) for what in few}


def test_what_is_paid_at_checks_and_at_the_end_grows_with_the_tensors_and_a_quiet_step_not_at_all() -> None:
    exponents = _exponents()
    assert exponents.pop("quiet") <= 0.02
    assert max(exponents.values()) <= MOST, exponents


def test_what_touches_every_tensor_for_each_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Movements.look

    def slow(self: Movements, *args: object, **kwargs: object) -> object:
        for watched in self._tracked.order:
            watched.row.changed.movements.count(None)  # type: ignore[arg-type]
        return look(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Movements, "look", slow)
    assert _exponents()["check"] > MOST


def test_a_step_that_reads_every_flag_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(self: FlagPolling) -> bool:
        return any([each.flag() is None and each.row.kind == "parameter" for each in self._entries.values()])  # noqa: C419

    monkeypatch.setattr(FlagPolling, "may_differ", slow)
    assert _exponents()["quiet"] > 0.02
