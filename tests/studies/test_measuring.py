"""What a cell says: agreement, the rule that fired, and above all that nothing passes without an explanation."""

from dataclasses import replace
from functools import partial

import pytest
from studies.cells import Cell, merged
from studies.tables import Reasons, contradictions, matrix

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")


def trial(frozen=True, container=False):
    from studies.measuring import Trial

    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("subject", torch.nn.Linear(4, 3))
    model.add_module("head", torch.nn.Linear(3, 1))
    model.subject.requires_grad_(not frozen)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def stages():
        yield
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(5, 4)).square().mean().backward()
            optimizer.step()

    def read():
        return {name: (tuple(each.shape), each.detach().numpy().tobytes()) for name, each in model.named_parameters()}

    return Trial(stages, read, lambda name: "subject" in name, (model, optimizer)), model


def measured(wanted):
    from studies.measuring import measure

    return measure(Cell("Linear", "planted"), wanted)


def test_a_frozen_layer_agrees():
    cell = measured(trial()[0])
    assert (cell.word, cell.frozen, cell.moved, cell.doubts) == ("agrees", 15, 0, [])


def test_a_layer_that_is_rewritten_is_reported_by_its_rule():
    wanted, model = trial()

    def decay(module, _inputs):
        with torch.no_grad():
            module.weight.mul_(0.9)

    model.subject.register_forward_pre_hook(decay)
    cell = measured(wanted)
    assert cell.contradicts
    assert cell.broken == 12
    assert cell.rules
    assert not cell.doubts


def test_what_moves_and_was_to_stay_without_a_rule_is_not_explained():
    cell = measured(trial(frozen=False)[0])
    assert cell.word == "unexplained"
    assert "was to stay and moved, and no rule fired" in cell.doubts[0]


def test_bytes_that_disagree_with_the_record_are_told():
    wanted, _ = trial()
    lying = replace(wanted, read=partial(_lie, wanted.read, iter(range(100))))
    assert any("the bytes say moved [3, 4]" in doubt for doubt in measured(lying).doubts)


def _lie(read, counter):
    number = next(counter)
    return {name: (shape, told + bytes([number])) for name, (shape, told) in read().items()}


def test_an_exception_is_the_reason_of_a_cell_without_a_result():
    wanted, model = trial()
    model.subject.register_forward_pre_hook(lambda *_: 1 / 0)
    cell = measured(wanted)
    assert cell.word == "refused"
    assert cell.refused == "ZeroDivisionError: division by zero"


def test_tables_tell_backends_apart_and_collect_contradictions():
    same = [Cell("A", "own flag", backend, size=3, frozen=3) for backend in ("jax", "torch")]
    assert merged(same, lambda cell: cell.word) == "agrees"
    moved = Cell("A", "own flag", "tensorflow", size=3, frozen=3, moved=3, broken=3, rules=["F108"])
    refused = Cell("B", "own flag", "jax", refused="ValueError: no")
    reasons = Reasons()
    lines = matrix([*same, moved, refused], ["own flag"], reasons, "layer")
    assert lines[2:] == ["| A | jax, torch: 3 · 0 · 0<br>tensorflow: 3 · 0 · 3 **F108** |", "| B | [1] |"]
    assert reasons.lines() == ["1. ValueError: no"]
    assert contradictions([*same, moved, refused])[2:] == [
        "| own flag | F108 | were frozen and moved | 1 | A (tensorflow) |"
    ]
