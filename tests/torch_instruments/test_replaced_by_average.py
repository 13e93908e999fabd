"""An average that is put into its model between steps is told where it stays there, and not where it is taken out."""

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, squares, watched


def trained(between, rate: float = 0.1, steps: int = 40):
    """Train a small network with an average of it; ``between(step, weights, average, slow)`` is called after steps."""

    def run():
        network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        weights = list(network.parameters())
        average = [each.detach().clone() for each in weights]
        slow = [each.detach().clone() for each in weights]
        for step, batch in enumerate(rows(steps)):
            optimizer.zero_grad()
            squares(network, batch).backward()
            optimizer.step()
            with torch.no_grad():
                for mine, each in zip(average, weights, strict=True):
                    mine.lerp_(each, rate)
                between(step, weights, average, slow)

    return watched(run)


def put(into, values):
    for each, value in zip(into, values, strict=True):
        each.copy_(value)


def test_an_average_that_stays_in_is_a_warning():
    record = trained(lambda step, weights, average, _: put(weights, average) if step % 10 == 9 else None)
    found = finding(record, "keeping")
    assert (found.severity, found.evidence["put_in_after_steps"]) == ("warning", "10, 20, 30")
    assert found.evidence["average_moved_in_steps"] > 20
    assert len(found.tensors) == 4
    assert [rule for rule, _ in graver(record)] == ["keeping"]


def taken_out(step, weights, average, _):
    if step % 10 == 9:
        kept = [each.clone() for each in weights]
        put(weights, average)
        put(weights, kept)


def lookahead(step, weights, _, slow):
    if step % 5 == 4:
        for mine, each in zip(slow, weights, strict=True):
            mine.lerp_(each, 0.5)
        put(weights, slow)


def once(step, weights, average, _):
    if step == 20:
        put(weights, average)


def at_the_end(step, weights, average, _):
    if step == 39:
        put(weights, average)


def begun_again(step, weights, _, slow):
    if step % 10 == 8:
        put(weights, slow)


@pytest.mark.parametrize("between", [taken_out, lookahead, once, at_the_end, begun_again])
def test_what_is_healthy_or_no_average_is_none(between):
    assert [rule for rule, _ in graver(trained(between)) if rule == "keeping"] == []
