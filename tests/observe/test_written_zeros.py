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


def found(zero: str, phases: int = 2, kept: int = 0) -> list[Finding]:
    """What is found of zeros where a model is trained for some phases, and ``zero`` is done after the first.

    A mask is put on after each step until the phase ``kept``.
    """
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
                if 0 < phase <= kept:
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
    ("zero", "phases", "kept"),
    [
        ("mask", 2, 1),
        ("library", 1, 0),
        ("mask", 1, 0),
        ("all", 2, 0),
        ("rows", 2, 0),
        ("", 2, 0),
    ],
)
def test_zeros_that_stay_and_lines_that_begin_anew_are_healthy(zero: str, phases: int, kept: int) -> None:
    assert found(zero, phases, kept) == []


def test_zeros_that_were_kept_through_a_phase_and_released_are_a_note() -> None:
    (finding,) = found("mask", phases=3, kept=1)
    assert (finding.severity, finding.evidence["held"]) == ("note", 4)
    assert finding.evidence["excuse"] == "held before: they stayed zero through 4 steps first"
