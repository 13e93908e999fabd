"""Flags are read when they were written to; of those that nobody is seen to write to, some before each step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import frostline
from frostline.frameworks.torch.models.carriers import AT_A_STEP

LAYERS = AT_A_STEP  # two tensors each: two parts


def _flip_at_step(flip: Callable[[nn.Parameter], object], index: int = -1) -> int | None:
    """At which step the record has the flip that was made before step 4."""
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(LAYERS)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for step in range(1, 8):
            if step == 6:
                flip(list(model.parameters())[index])
            optimizer.zero_grad()
            model[:2](torch.ones(1, 2)).sum().backward()
            optimizer.step()
    flips = [flip.step for row in seen.report.record.tensors for flip in row.declared.flips]
    assert len(flips) <= 1
    return flips[0] if flips else None


@pytest.mark.parametrize(
    "flip",
    [
        lambda each: setattr(each, "requires_grad", False),
        lambda each: each.requires_grad_(False),
        lambda each: each.requires_grad_(requires_grad=False),
    ],
)
def test_a_write_is_seen_before_the_next_step(flip: Callable[[nn.Parameter], object]) -> None:
    assert {_flip_at_step(flip, index) for index in (0, AT_A_STEP, -1)} == {6}


def test_a_write_that_passes_by_python_is_seen_when_its_turn_comes() -> None:
    in_c = torch.Tensor.requires_grad.__set__  # type: ignore[attr-defined]
    steps = {_flip_at_step(lambda each: in_c(each, False), index) for index in (0, -1)}
    assert steps <= {6, 7}
    assert 7 in steps


def test_flags_of_plain_tensors_are_read_before_every_step() -> None:
    tensors = [torch.ones(2, requires_grad=True) for _ in range(3 * AT_A_STEP)]
    optimizer = torch.optim.SGD(tensors, lr=0.1)
    with frostline.watch(optimizer) as seen:
        for step in range(1, 8):
            if step == 6:
                tensors[-1].requires_grad = False
            optimizer.zero_grad()
            (tensors[0].sum() + tensors[-2].sum()).backward()
            optimizer.step()
    assert [flip.step for row in seen.report.record.tensors for flip in row.declared.flips] == [6]


def test_parameters_have_nothing_of_ours_afterwards() -> None:
    model = nn.Linear(1, 1)
    with frostline.watch(model):
        assert "requires_grad" in vars(nn.Parameter)
    assert not {"requires_grad", "requires_grad_"} & vars(nn.Parameter).keys()
