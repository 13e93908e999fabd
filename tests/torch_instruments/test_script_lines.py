"""Which lines of a script are named: those of this file, found by the comment at their ends."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import threading
from pathlib import Path

import pytest
import torch
from tests.torch_instruments.toy import finding, rows, squares, watched
from torch import nn

import frostline
from frostline.core.events import LineSeen
from frostline.core.record import Finding, Record

OWN = {name: vars(nn.Parameter).get(name) for name in ("requires_grad", "requires_grad_", "copy_", "__iadd__")}
HERE = Path(__file__).read_text("utf-8").splitlines()


def line(mark: str) -> int:
    """The number of the one line that ends in this comment."""
    return next(number for number, text in enumerate(HERE, 1) if text.endswith(f"# {mark}"))


def by(found: Finding, role: str) -> list[int]:
    """The lines of this file that did it, as the finding has them."""
    assert {Path(origin.file).name for origin in found.origins} <= {Path(__file__).name}
    return [origin.line for origin in found.origins if origin.role == role]


def lines(record: Record, act: str, name: str) -> list[int]:
    """The lines that did this to a tensor, in the order in which they were told."""
    row = next(row for row in record.tensors if row.name.endswith(name))
    events = record.events_of(LineSeen)
    return [each.origin.line for each in events if each.act == act and row.id in each.tensors and each.origin]


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int = 3) -> None:
    for batch in rows(count):
        optimizer.zero_grad(set_to_none=False)
        squares(model, batch).backward()
        optimizer.step()  # steps


def momentum() -> None:
    model = net()
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1, momentum=0.9)  # made
    optimizer.add_param_group({"params": model[2].parameters()})  # added
    model.train()  # train
    steps(model, optimizer)
    model[0].requires_grad_(False)  # freeze
    model[0].weight.requires_grad = False  # again
    steps(model, optimizer)
    model.eval()  # eval


def test_a_frozen_tensor_that_moves_has_the_line_that_froze_it_and_that_of_the_optimizer() -> None:
    record = watched(momentum)
    found = finding(record, "frozen-but-carried-by-momentum")
    assert by(found, "frozen") == [line("freeze")]
    assert by(found, "optimizer") == [line("made")]
    assert by(found, "step") == [line("steps")]
    assert by(found, "group") == []  # which is of other tensors
    assert found.origins[0].source == "model[0].requires_grad_(False)  # freeze"
    assert lines(record, "train", "1.running_mean") == [line("train")]
    assert lines(record, "eval", "1.running_mean") == [line("eval")]


def test_every_flip_has_its_line() -> None:
    def flips() -> None:
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model[0].weight.requires_grad = False  # off
        steps(model, optimizer)
        model[0].weight.requires_grad = True  # on
        steps(model, optimizer)

    found = finding(watched(flips), "flag-flipped-during-run")
    assert (by(found, "frozen"), by(found, "unfrozen")) == ([line("off")], [line("on")])


class Helper(nn.Module):
    """Passes on: who makes it, or sets its mode, is the line that does so."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 4)  # body
        self.norm = nn.BatchNorm1d(4)

    def train(self, mode: bool = True) -> Helper:
        super().train(mode)
        return self

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.norm(self.body(batch))


class Mine(torch.optim.SGD):
    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.parameters(), lr=0.1)


def test_what_only_passes_on_is_not_the_line() -> None:
    def passing() -> None:
        model = Helper()
        optimizer = Mine(model)  # mine
        model.train()  # helper
        steps(model, optimizer)

    record = watched(passing)
    assert lines(record, "train", "norm.running_mean") == [line("helper")]
    assert lines(record, "made", "body.weight") == [line("body")]
    told = [each for each in record.events_of(LineSeen) if each.act == "optimizer"]
    assert [each.origin.line for each in told if each.origin] == [line("mine")]


def test_a_write_between_steps_is_bounded_by_their_lines_and_then_seen() -> None:
    def writes() -> None:
        model = net()
        optimizer = torch.optim.SGD([*model[1].parameters(), *model[2].parameters()], lr=0.1)
        model[0].requires_grad_(False)
        for _ in range(8):
            steps(model, optimizer, 1)
            with torch.no_grad():
                model[0].weight.add_(torch.full((4, 4), 0.125))  # writes

    record = watched(writes)
    found = finding(record, "frozen-but-rewritten-outside-step")
    assert by(found, "written") == [line("writes")]
    bounds = [each for each in record.events_of(LineSeen) if each.until is not None]
    assert {(each.origin.line, each.until.line) for each in bounds if each.origin and each.until} >= {
        (line("steps"), line("steps"))
    }


def test_a_load_between_steps_has_its_line() -> None:
    def loads() -> None:
        model = net()
        first = copy.deepcopy(model.state_dict())
        first["0.weight"] += 1
        optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
        model[0].requires_grad_(False)
        steps(model, optimizer)
        model.load_state_dict(first)  # loads
        steps(model, optimizer)

    record = watched(loads)
    assert line("loads") in by(finding(record, "frozen-but-rewritten-outside-step"), "loaded")


def test_a_flag_that_no_parameter_set_has_no_line() -> None:
    def unseen() -> None:
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        steps(model, optimizer)
        torch._C.TensorBase.requires_grad.__set__(model[0].weight, False)  # type: ignore[attr-defined]
        steps(model, optimizer)

    found = finding(watched(unseen), "frozen-but-carried-by-momentum")
    assert by(found, "frozen") == []
    assert len(by(found, "optimizer")) == 1


def calls_of(act: object) -> int:
    """How many functions of Python are called, this one left out."""
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(called)
    try:
        act()  # type: ignore[operator]
    finally:
        sys.setprofile(None)
    return count - 1


@pytest.mark.parametrize("depth", [1, 30])
def test_setting_a_flag_costs_the_same_however_deep_the_script_stands(depth: int) -> None:
    parameters = [nn.Parameter(torch.ones(1)) for _ in range(50)]

    def set_all(deeper: int, flag: bool) -> None:
        if deeper:
            set_all(deeper - 1, flag)
            return
        for parameter in parameters:
            parameter.requires_grad = flag

    with frostline.watch():
        set_all(0, False)
        set_all(0, True)
        flips = calls_of(lambda: set_all(depth, False))
        nothing = calls_of(lambda: set_all(depth, False))
        read = calls_of(lambda: [parameter.requires_grad for parameter in parameters])
    assert 50 * 7 <= flips - depth <= 50 * 7 + 10
    assert nothing - depth <= 50 + 1
    assert read <= 1  # the list itself


def test_flags_are_those_of_a_run_without_us() -> None:
    def script() -> list[object]:
        model = net()
        seen: list[object] = []
        model[0].requires_grad_(False)
        seen.append([each.requires_grad for each in copy.deepcopy(model).parameters()])
        seen.append([each.requires_grad for each in pickle.loads(pickle.dumps(model)).parameters()])
        buffer = io.BytesIO()
        torch.save(model, buffer)
        seen.append(len(buffer.getvalue()))
        with torch.device("meta"):
            seen.append(nn.Linear(2, 2).requires_grad_(False).weight.requires_grad)
        whole = nn.Parameter(torch.ones(2, dtype=torch.int64), requires_grad=False)
        for wrong in (lambda: setattr(whole, "requires_grad", True), lambda: model[0].weight.requires_grad_("yes")):
            with pytest.raises((RuntimeError, TypeError)) as caught:
                wrong()
            seen.append(str(caught.value))
        threads = [threading.Thread(target=model.requires_grad_, args=(False,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        weights = dict(model[2].named_parameters())
        gradient = torch.func.grad(lambda w: torch.func.functional_call(model[2], w, (torch.ones(1, 4),)).sum())(
            weights
        )
        seen.append({name: each.requires_grad for name, each in gradient.items()})
        seen.append([each.requires_grad for each in model.parameters()])
        return seen

    alone = script()
    with frostline.watch():
        observed = script()
    assert observed == alone


def test_nothing_of_ours_is_left() -> None:
    watched(momentum)
    assert {name: vars(nn.Parameter).get(name) for name in OWN} == OWN
    assert nn.Module.train.__module__ == nn.Module.register_parameter.__module__ == "torch.nn.modules.module"
    assert not hasattr(nn.Module.train, "__wrapped__")
