"""Averages get rows and are judged whatever holds them, called or not; other copies that a script keeps stay quiet."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from toy import graver, rows, squares, watched


class Timm(nn.Module):
    """Like ModelEmaV2: the copy is a module of a module, and all of its state follows."""

    def __init__(self, network):
        super().__init__()
        self.module = copy.deepcopy(network).eval().requires_grad_(False)


class Shadow:
    """Like EMAModel of diffusers and torch_ema: a list in an attribute of a plain object."""

    def __init__(self, network):
        self.shadow_params = [each.detach().clone() for each in network.parameters()]


def tensors_of(module):
    return [*module.parameters(), *module.buffers()]


KINDS = {  # what holds the average, its tensors, and the tensors of the network that they follow
    "deepcopy": (copy.deepcopy, tensors_of, tensors_of),
    "frozen deepcopy": (lambda net: copy.deepcopy(net).requires_grad_(False), tensors_of, tensors_of),
    "timm": (Timm, tensors_of, tensors_of),
    "averaged": (AveragedModel, lambda kept: tensors_of(kept.module), tensors_of),
    "dictionary": (
        lambda net: {name: each.detach().clone() for name, each in net.state_dict().items()},
        lambda kept: list(kept.values()),
        lambda net: list(net.state_dict().values()),
    ),
    "list": (
        lambda net: [each.detach().clone() for each in net.parameters()],
        lambda kept: kept,
        lambda net: list(net.parameters()),
    ),
    "attribute": (Shadow, lambda kept: kept.shadow_params, lambda net: list(net.parameters())),
}


def follow(kept, sources, momentum):
    for mine, theirs in zip(kept, sources, strict=True):
        if mine.is_floating_point():
            mine.mul_(momentum).add_(theirs.to(mine.dtype), alpha=1 - momentum)
        else:
            mine.copy_(theirs)


def trained(make, between, steps=40, optimizer=lambda parameters: torch.optim.Adam(parameters, 0.01)):
    """A small network with statistics; ``between(step, network, ema)`` is called after each step."""

    def run():
        network = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 2))
        step_with, ema = optimizer(network.parameters()), make(network)
        for step, batch in enumerate(rows(steps)):
            step_with.zero_grad()
            squares(network, batch).backward()
            step_with.step()
            with torch.no_grad():
                between(step, network, ema)

    return watched(run)


def averaged(kind, momentum, steps=40, until=None, **options):
    make, mine, theirs = KINDS[kind]

    def between(step, network, ema):
        if until is None or step < until:
            follow(mine(ema), theirs(network), momentum)

    return trained(make, between, steps, **options)


def kept(record):
    return [row for row in record.tensors if row.model.startswith("ema")]


@pytest.mark.parametrize("kind", KINDS)
def test_an_average_has_rows_and_follows(kind):
    record = averaged(kind, 0.9)
    assert graver(record) == []
    assert {row.changed.verdict for row in kept(record)} == {"yes"}
    weights = [row for row in kept(record) if row.name.endswith("0.weight") or row.name.endswith(".0")]
    assert [row.changed.followed for row in weights] == ["network.0.weight"]
    assert weights[0].changed.rate == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("kind", ["deepcopy", "averaged", "dictionary", "attribute"])
def test_averages_are_quiet_at_any_momentum_and_length(kind):
    for momentum in (0.0, 0.99, 0.99999):
        for steps in (1, 6, 40):
            assert graver(averaged(kind, momentum, steps)) == [], (momentum, steps)


def found(record):
    return [(each.code, each.severity, each.tensors) for each in record.findings if each.code == "L6"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_average_that_stops_is_an_error(kind):
    [(_, severity, tensors)] = found(averaged(kind, 0.9, until=10))
    assert (severity, len(tensors)) == ("error", 8 if kind not in ("list", "attribute") else 6)


@pytest.mark.parametrize("kind", ["averaged", "dictionary", "attribute"])
def test_an_average_that_was_never_written_is_a_note_where_its_name_says_what_it_is(kind):
    record = averaged(kind, 0.9, until=0)
    assert [severity for _, severity, _ in found(record)] == ["note"]
    assert {row.changed.verdict for row in kept(record)} == {"no"}


@pytest.mark.parametrize("kind", ["deepcopy", "dictionary", "list"])
def test_an_average_into_which_nothing_comes_is_an_error(kind):
    [(_, severity, _)] = found(averaged(kind, 1.0))
    assert severity == "error"


@pytest.mark.parametrize("kind", ["deepcopy", "dictionary", "attribute"])
def test_an_average_that_a_narrow_type_rounds_away_is_an_error(kind):
    make, mine, theirs = KINDS[kind]

    def narrow(network):
        ema = make(network)
        for each in mine(ema):
            each.data = each.data.bfloat16() if each.is_floating_point() else each.data
        return ema

    def at(momentum):
        return trained(narrow, lambda _, network, ema: follow(mine(ema), theirs(network), momentum))

    [finding] = [each for each in at(0.9999).findings if each.code == "L6"]
    assert "bfloat16 rounds small changes away" in finding.message
    assert found(at(0.5)) == []


def test_what_an_average_leaves_out_is_named():
    def without(left):
        def between(step, network, ema):
            now = network.state_dict()
            for name, mine in ema.items():
                if mine.is_floating_point() and not name.endswith(left):
                    mine.lerp_(now[name], 0.1)

        return found(trained(KINDS["dictionary"][0], between))

    assert without("3.weight") == [("L6", "error", ["ema.3.weight"])]
    assert without(("mean", "var")) == [("L6", "warning", ["ema.1.running_mean", "ema.1.running_var"])]
    assert without("nothing") == []


def test_an_average_made_anew_at_each_step_has_rows():
    def between(step, network, ema):
        for name, each in network.state_dict().items():
            ema[name] = 0.9 * ema[name] + 0.1 * each if each.is_floating_point() else each.clone()

    record = trained(KINDS["dictionary"][0], between)
    assert (graver(record), {row.changed.verdict for row in kept(record)}) == ([], {"yes"})


def test_an_average_of_the_last_part_of_the_training_is_found():
    def between(step, network, state):
        if step == 12:
            state.ema = copy.deepcopy(network)
        elif step > 12:
            follow(tensors_of(state.ema), tensors_of(network), 0.9)

    record = trained(lambda _: SimpleNamespace(), between)
    assert (graver(record), len([row for row in record.tensors if ".ema." in row.name])) == ([], 8)


def synchronised(step, network, target):
    if step % 10 == 9:
        follow(tensors_of(target), tensors_of(network), 0.0)


def best(step, network, state):
    if step in (0, 3, 30):
        state.best = copy.deepcopy(network.state_dict())


def swapped(step, network, backup):
    for mine, each in zip(backup, network.parameters(), strict=True):
        mine.copy_(each)


def gradients(step, network, kept):
    for mine, each in zip(kept, network.parameters(), strict=True):
        mine.copy_(each.grad)


def anchored(step, network, start):
    sum((each - first).square().sum() for each, first in zip(network.parameters(), start, strict=True))


def inner(step, network, outer):
    """Rounds of DiLoCo by hand: the outer weights move towards the inner ones, and these begin there again."""
    if step % 8 == 7:
        for mine, each in zip(outer, network.parameters(), strict=True):
            mine.add_(each - mine, alpha=0.7)
            each.copy_(mine)


def copies(network):
    return [each.detach().clone() for each in network.parameters()]


HARMLESS = {
    "snapshot": (copy.deepcopy, lambda *_: None),
    "first state": (lambda network: copy.deepcopy(network.state_dict()), lambda *_: None),
    "best state": (lambda network: SimpleNamespace(best=copy.deepcopy(network.state_dict())), best),
    "target every ten steps": (copy.deepcopy, synchronised),
    "swap buffer": (copies, swapped),
    "gradient buffer": (copies, gradients),
    "anchor": (copies, anchored),
    "outer weights": (copies, inner),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_other_copies_are_quiet(kind):
    make, between = HARMLESS[kind]
    assert graver(trained(make, between)) == []
