"""Rows and elements that are to stay: named by the user, or masked in the gradient."""

import pytest
import torch
from torch import nn
from toy import graver, tensor_row

import frostline
from frostline.run.session import Session
from frostline.settings import Settings

OLD, ADDED = 10, 2
LAST = 7


def embedding():
    torch.manual_seed(0)
    return nn.Embedding(OLD + ADDED, 4)


def train(model, optimizer, *, steps=8, words=None, before_step=None, after_step=None):
    words = torch.arange(OLD + ADDED) if words is None else words
    for _ in range(steps):
        optimizer.zero_grad()
        (model(words) - 1).square().mean().backward()
        if before_step:
            before_step()
        optimizer.step()
        if after_step:
            after_step()


def seen(model, optimizer, *, frozen=(), trained=(), **loop):
    with frostline.watch(model, optimizer, frozen=frozen, trained=trained) as watch:
        train(model, optimizer, **loop)
    return watch.report.record


def found(record):
    return [
        (each.severity, each.evidence.get("rows")) for each in record.findings if each.rule == "frozen-rows-changed"
    ]


def hooked(model):
    keep = torch.arange(OLD + ADDED).unsqueeze(1) < OLD
    model.weight.register_hook(lambda slope: slope.masked_fill(keep, 0.0))


def decaying(model):
    return torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)


def test_masked_rows_that_decay_are_found():
    model = embedding()
    hooked(model)
    record = seen(model, decaying(model))
    assert found(record) == [("warning", ["0:10"])]
    finding = next(each for each in record.findings if each.code == "F111")
    assert "weight decay of optimizer" in finding.message
    assert finding.evidence["masked_by"] == "a hook on its gradient"


def test_masked_rows_that_stay_are_not():
    model = embedding()
    hooked(model)
    assert graver(seen(model, torch.optim.Adam(model.parameters(), lr=0.1))) == []


def test_a_mask_written_into_the_gradient_counts_as_well():
    model = embedding()

    def write():
        model.weight.grad[:OLD] = 0

    # the first check learns that part of the gradient is zero; from then on it is looked at where it is made
    assert found(seen(model, decaying(model), before_step=write)) == [("warning", ["0:10"])]


def test_rows_that_nobody_used_are_no_frozen_rows():
    model = embedding()
    model.weight.register_hook(lambda slope: slope.clamp(-0.01, 0.01))
    assert found(seen(model, decaying(model), words=torch.tensor([1, 3]))) == []


def test_a_mask_that_changes_from_step_to_step_freezes_nothing():
    model = embedding()
    model.weight.register_hook(lambda slope: slope * (torch.rand(len(slope), 1) < 0.5))
    assert found(seen(model, decaying(model), steps=40)) == []


def test_rows_that_are_written_back_have_not_moved():
    model = embedding()
    hooked(model)
    kept = model.weight.detach().clone()

    def write_back():
        with torch.no_grad():
            model.weight[:OLD] = kept[:OLD]

    assert found(seen(model, decaying(model), after_step=write_back)) == []


def test_a_mask_may_begin_in_the_middle_of_a_run():
    model = embedding()
    steps = []

    def masked_later():
        steps.append(len(steps))
        if len(steps) >= 3:
            model.weight.grad[:OLD] = 0

    assert found(seen(model, decaying(model), before_step=masked_later, steps=16)) == [("warning", ["0:10"])]


def test_masked_rows_that_the_script_writes_have_not_moved_in_a_step():
    model = embedding()
    hooked(model)

    def write():
        with torch.no_grad():
            model.weight[:OLD] += 1

    record = seen(model, torch.optim.SGD(model.parameters(), lr=0.1), after_step=write)
    assert found(record) == []


def test_momentum_of_a_joint_phase_is_named():
    model = embedding()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def loop():
        train(model, optimizer, steps=2)
        hooked(model)
        train(model, optimizer, steps=8)

    with frostline.watch(model, optimizer) as watch:
        loop()
    finding = next(each for each in watch.report.record.findings if each.code == "F111")
    assert "momentum of optimizer" in finding.message
    assert finding.evidence["rows"] == ["0:10"]


def test_masked_columns_are_told_as_elements():
    torch.manual_seed(0)
    model = nn.Linear(6, 4)
    open_columns = torch.arange(6) % 2
    model.weight.register_hook(lambda slope: slope * open_columns)
    record = seen(model, decaying(model), words=torch.randn(16, 6))
    told = tensor_row(record, "model.weight").rows[0]
    assert (told.unit, told.compared, told.moved) == ("element", 12, 12)


def test_rows_stand_in_for_elements_where_memory_is_short():
    model = embedding()
    hooked(model)
    session = Session(Settings(keep_bytes=64))
    session.attach_imported()
    train(model, decaying(model))
    record = session.close()
    told = tensor_row(record, "model.weight").rows[0]
    assert (told.unit, told.moved, told.ranges) == ("row", 10, ["0:10"])


@pytest.mark.parametrize(
    ("rows", "told"),
    [("[:10]", ["0:10"]), ("[-1:]", ["11:12"]), ("[::3]", ["0:1", "3:4", "6:7", "9:10"])],
    ids=["old", "last", "every third"],
)
def test_rows_that_the_user_names_are_compared_one_by_one(rows, told):
    model = embedding()
    record = seen(model, torch.optim.SGD(model.parameters(), lr=0.1), frozen=[f"model.weight{rows}"])
    assert found(record) == [("error", told)]


def test_of_the_rows_named_those_that_moved_are_listed():
    model = embedding()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    record = seen(model, optimizer, frozen=["model.weight[:10]"], words=torch.tensor([LAST, 11]))
    assert found(record) == [("error", ["7:8"])]


def test_rows_that_should_be_trained_and_are_not():
    model = embedding()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trained = ["model.weight[:7]", "model.weight[7:]"]
    record = seen(model, optimizer, trained=trained, words=torch.tensor([LAST, 11]))
    assert [(each.rule, each.evidence["pattern"]) for each in record.findings if each.severity == "error"] == [
        ("expected-trained-but-unchanged", "model.weight[:7]")
    ]


def test_rows_of_nothing_are_a_pattern_that_matches_nothing():
    model = embedding()
    record = seen(model, torch.optim.SGD(model.parameters(), lr=0.1), frozen=["model.wait[:7]"])
    assert [each.rule for each in record.findings if each.severity == "error"] == ["pattern-matches-nothing"]


def test_assert_frozen_takes_rows():
    model = embedding()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loop = {"words": torch.tensor([LAST])}
    frostline.assert_frozen(model, "model.weight[8:]", during=lambda: train(model, optimizer, **loop))
    with pytest.raises(frostline.errors.FindingsError, match="rows 7:8"):
        frostline.assert_frozen(model, "model.weight[:8]", during=lambda: train(model, optimizer, **loop))


@pytest.mark.parametrize("place", ["last row", "odd columns", "one element"])
def test_a_sample_is_not_fooled_by_structure(place):
    """Blocks that a proof of change tries first may all be equal; then the rest is read."""
    model = nn.Linear(4096, 1200, bias=False)  # 300 blocks
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    mask = torch.zeros_like(model.weight)
    match place:
        case "last row":
            mask[-1] = 1
        case "odd columns":
            mask[:, 1::2] = 1
        case "one element":
            mask[123, 45] = 1
    with frostline.watch(model, optimizer) as watch:
        model(torch.ones(1, 4096)).sum().backward()
        model.weight.grad *= mask
        optimizer.step()
    assert tensor_row(watch.report.record, "model.weight").changed.verdict == "yes"


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_that_cancel_are_not_masked(masked):
    """Two micro-batches, of which the second takes from some rows exactly what the first one brought."""
    model = embedding()
    optimizer = decaying(model)
    sign = torch.ones(OLD + ADDED, 1)
    sign[:OLD] = -1.0
    with frostline.watch(model, optimizer) as watch:
        for _ in range(8):
            optimizer.zero_grad()
            (model.weight * 3.0).sum().backward()
            (model.weight * 3.0 * (1.0 if masked else sign)).sum().backward()
            if masked:
                model.weight.grad[:OLD] = 0.0
            optimizer.step()
    assert found(watch.report.record) == ([("warning", ["0:10"])] if masked else [])
