"""Zeros that were written into weights between phases of training, and that further steps fill."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import frostline
from frostline.core.record import Finding
from frostline.observe.checks.written_zeros import _outside_whole_lines, _zeros


def test_both_zeros_count_and_whole_lines_do_not() -> None:
    weight = np.array([[0.0, -0.0, 0.0], [1.0, -0.0, 0.0], [2.0, 3.0, 0.0]], "f4")
    zero = _zeros(weight.tobytes(), 4)
    assert zero is not None
    assert zero.tolist() == [True, True, True, False, True, True, False, False, True]
    assert _outside_whole_lines(zero.reshape(3, 3)) == 1


def found(zero: str, phases: int = 2, keep: bool = False) -> list[Finding]:
    """What is found of zeros where a model is trained for some phases, and ``zero`` is done after the first."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 2))
    mask = torch.rand(16, 12) > 0.5
    with frostline.watch(model) as watch:
        for phase in range(phases):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(4):
                optimizer.zero_grad()
                model(torch.randn(8, 12)).square().mean().backward()
                optimizer.step()
                if keep and phase:
                    model[0].weight.data *= mask
            if phase == 0:
                write(zero, model[0], mask)
    return [each for each in watch.report.record.findings if each.code == "F114"]


def write(zero: str, layer: nn.Linear, mask: torch.Tensor) -> None:
    with torch.no_grad():
        if zero == "library":
            prune.random_unstructured(layer, "weight", 0.5)
            prune.remove(layer, "weight")
        elif zero == "mask":
            layer.weight.mul_(mask)
        elif zero == "all":
            layer.weight.zero_()
        elif zero == "rows":
            layer.weight[:8] = 0


@pytest.mark.parametrize("zero", ["library", "mask"])
def test_zeros_that_steps_fill_are_found(zero: str) -> None:
    (finding,) = found(zero)
    assert (finding.severity, finding.tensors, finding.evidence["left"]) == ("warning", ["model.0.weight"], 0)
    assert finding.evidence["since_step"] == 4


@pytest.mark.parametrize(
    ("zero", "phases", "keep"),
    [
        ("mask", 2, True),
        ("library", 1, False),
        ("mask", 1, False),
        ("all", 2, False),
        ("rows", 2, False),
        ("", 2, False),
    ],
)
def test_zeros_that_stay_and_lines_that_begin_anew_are_healthy(zero: str, phases: int, keep: bool) -> None:
    assert found(zero, phases, keep) == []
