"""A write into a frozen weight is found wherever it falls; one that was made after the last step is no fault."""

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, train, watched

STEPS = 30  # checks are the steps 1, 2, 4, 8 and 16


def in_place(model):
    with torch.no_grad():
        model[0].weight.add_(0.1)


def through_data(model):
    model[0].weight.data.mul_(0.5)


def assigned_data(model):
    model[0].weight.data += 1


def through_a_view(model):
    model[0].weight.detach()[0].zero_()


def with_new_data(model):
    model[0].weight.data = torch.ones(8, 4)


WRITES = [in_place, through_data, assigned_data, through_a_view, with_new_data]


def run(write, after):
    """The record of a run that writes into its frozen layer after so many steps."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model[1].parameters(), 0.1)

    def script():
        train(model, optimizer, rows(after))
        write(model)
        if after < STEPS:
            train(model, optimizer, rows(STEPS - after))

    return watched(script)


@pytest.mark.parametrize("after", [3, 9, 12, 17, 26, 29])
@pytest.mark.parametrize("write", WRITES)
def test_a_write_before_the_last_step_is_an_error(write, after):
    found = finding(run(write, after), "frozen-but-rewritten-outside-step")
    assert (found.severity, found.evidence["first_step"]) == ("error", after + 1)


@pytest.mark.parametrize("write", WRITES)
def test_a_write_after_the_last_step_is_an_export(write):
    record = run(write, STEPS)
    found = finding(record, "frozen-but-rewritten-outside-step")
    assert (found.severity, graver(record)) == ("note", [])
    assert found.evidence["excuse"] == (
        "after training: the script was first seen to write into it after step 30, the last one"
    )


def test_a_write_that_nothing_shows_is_an_error_though_it_may_have_come_last():
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    model[0].requires_grad_(False)
    alias = model[0].weight.detach().numpy()
    optimizer = torch.optim.SGD(model[1].parameters(), 0.1)

    def script():
        train(model, optimizer, rows(STEPS))
        alias[:] = 0

    found = finding(watched(script), "frozen-but-rewritten-outside-step")
    assert (found.severity, found.evidence["interval"]) == ("error", "after step 16 to step 30")


def test_of_many_tensors_some_are_counted_at_each_step():
    """The counters of 100 tensors are read in turns: a write is seen after a few steps."""
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(50)], nn.Linear(4, 2))
    model[:50].requires_grad_(False)
    optimizer = torch.optim.SGD(model[50].parameters(), 0.1)

    def script():
        train(model, optimizer, rows(20))
        in_place(model[40:])
        train(model, optimizer, rows(8))

    found = finding(watched(script), "frozen-but-rewritten-outside-step")
    assert found.severity == "error"
    assert 21 <= found.evidence["first_step"] <= 25


def test_what_is_written_at_every_step_is_read_now_and_then():
    """A target that follows its source is no fault, and is not read at every one of its updates."""
    source, target = nn.Linear(4, 2), nn.Linear(4, 2)
    target.load_state_dict(source.state_dict())
    target.requires_grad_(False)
    optimizer = torch.optim.SGD(source.parameters(), 0.1)

    def script():
        for _ in range(200):
            train(source, optimizer, rows(1))
            target(torch.ones(1, 4))
            with torch.no_grad():
                for mine, theirs in zip(target.parameters(), source.parameters(), strict=True):
                    mine.lerp_(theirs, 0.1)

    record = watched(script)
    assert graver(record) == []
    assert all(row.changed.checks < 40 for row in record.tensors)


def test_the_property_is_taken_away_when_the_run_is_over():
    run(in_place, 3)
    assert "data" not in vars(nn.Parameter)


class WritingSGD(torch.optim.SGD):
    """Writes into a weight that it does not hold, inside its 13th step."""

    def __init__(self, params, rate, foreign):
        super().__init__(params, rate)
        self.foreign, self.made = foreign, 0

    def step(self, closure=None):
        self.made += 1
        if self.made == 13:
            with torch.no_grad():
                self.foreign.mul_(2)
        return super().step(closure)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("layers", [1, 40])  # fewer and more than are looked at around each step
def test_a_write_inside_a_step_is_not_said_to_be_outside(inside, layers):
    model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(layers)), nn.Linear(4, 2))
    model[:layers].requires_grad_(False)
    held = model[layers].parameters()
    optimizer = WritingSGD(held, 0.1, model[0].weight) if inside else torch.optim.SGD(held, 0.1)

    def script():
        train(model, optimizer, rows(12))
        if not inside:
            in_place(model)
        train(model, optimizer, rows(STEPS - 12))

    record = watched(script)
    found = finding(record, "frozen-but-rewritten-outside-step")
    (row,) = (row for row in record.tensors if row.changed.movements and not row.declared.trainable)
    (place,) = (move.place for move in row.changed.movements)
    assert place == "between" if inside else place == "outside" or layers > 1
    assert ("outside every step" in found.message) == (place == "outside")
    assert found.severity == "error"
