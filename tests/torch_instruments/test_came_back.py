"""A run that ends with the weights of an earlier step is said to, and one that merely saves copies is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import frostline
from frostline.core.record import Finding

STEPS = 24


Kept = dict[int, dict[str, torch.Tensor]]


def findings(
    restore: Callable[[Kept], dict[str, torch.Tensor] | None],
    save: Callable[[torch.nn.Module, int], object] | None = None,
) -> list[Finding]:
    """Of a training in which a copy is kept after every step, one of which may be put back at the end."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        kept = {0: copy.deepcopy(model.state_dict())}
        for step in range(1, STEPS + 1):
            optimizer.zero_grad()
            model(torch.randn(16, 8)).square().mean().backward()
            optimizer.step()
            kept[step] = copy.deepcopy(model.state_dict())
            if save is not None:
                save(model, step)
        chosen = restore(kept)
        if chosen is not None:
            model.load_state_dict(chosen)
    return seen.report.record.findings


def test_the_first_weights_are_a_warning() -> None:
    (found,) = findings(lambda kept: kept[0])
    assert (found.code, found.severity, len(found.tensors)) == ("L7", "warning", 4)
    assert "had before the first step: what the last 24 steps made is gone" in found.message


@pytest.mark.parametrize("step", [2, 8])
def test_those_of_an_earlier_check_are_a_note(step: int) -> None:
    (found,) = findings(lambda kept: kept[step])
    assert (found.code, found.severity, found.evidence["back_at_step"]) == ("L7", "note", step)
    assert f"what the last {STEPS - step} steps made is gone" in found.message


@pytest.mark.parametrize("step", [None, STEPS, 16])
def test_the_last_weights_are_no_matter(step: int | None) -> None:
    """What was put back is what the last check saw: nothing shows that later steps moved it."""
    assert findings(lambda kept: None if step is None else kept[step]) == []


def test_a_part_that_is_put_back_is_no_matter() -> None:
    assert findings(lambda kept: kept[STEPS] | {"0.weight": kept[8]["0.weight"]}) == []


def test_those_of_a_file_are_known_though_no_check_saw_them(tmp_path: Path) -> None:
    def save(model: torch.nn.Module, step: int) -> None:
        if step == 13:
            torch.save(model.state_dict(), tmp_path / "best.pt")

    found = [each for each in findings(lambda kept: torch.load(tmp_path / "best.pt"), save) if each.code == "L7"]
    assert [(each.severity, each.evidence["back_at_step"]) for each in found] == [("note", 13)]
    assert [each for each in findings(lambda kept: kept[12], save) if each.code == "L7"] == []
