"""Losses that a scaler multiplied, and steps that did not divide by the scale."""

import pytest
import torch
from torch import nn

import frostline


def found(way: str) -> list[str]:
    torch.manual_seed(0)
    model, other = nn.Linear(4, 2), nn.Linear(4, 2)
    kind = torch.optim.Adam if way == "adaptive" else torch.optim.SGD
    optimizer = kind(model.parameters(), lr=1e-3)
    beside = torch.optim.SGD(other.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, enabled=way != "disabled")
    with frostline.watch(model, optimizer) as watch:
        for _ in range(6):
            optimizer.zero_grad()
            beside.zero_grad()
            rows = torch.randn(8, 4)
            scaler.scale(model(rows).square().mean()).backward()
            if way == "beside":  # of another loss, which nobody scaled
                other(rows).square().mean().backward()
                beside.step()
            if way == "unscaled first":
                scaler.unscale_(optimizer)
            if way == "divided by hand":
                for parameter in model.parameters():
                    parameter.grad /= scaler.get_scale()
            if way in ("beside", "scaler"):
                scaler.step(optimizer)
            else:
                optimizer.step()
            if way in ("beside", "scaler", "unscaled first"):
                scaler.update()
    return [each.message for each in watch.report.record.findings if each.code == "W413"]


def test_a_step_on_gradients_of_a_scaled_loss_is_found() -> None:
    (message,) = found("plain")
    assert message == "optimizer made 6 steps on gradients of a scaled loss, and nothing divided them by the scale"


@pytest.mark.parametrize("way", ["scaler", "unscaled first", "beside", "disabled", "divided by hand", "adaptive"])
def test_steps_of_the_right_size_are_healthy(way: str) -> None:
    assert found(way) == []
