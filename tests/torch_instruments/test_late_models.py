"""Models that are made in the midst of the training are in the table, whether or not a step reaches them."""

import torch
from torch import nn
from toy import finding, graver, rows, squares, train, watched


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def test_a_step_that_keeps_its_first_model_is_told_with_the_model_that_it_passes_by():
    def run():
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)

        def step(batch, model=model, kept=optimizer):
            train(model, kept, [batch])

        for fold in range(2):
            if fold:
                model = net()
                optimizer = torch.optim.SGD(model.parameters(), 0.1)
            for batch in rows(12):
                step(batch)

    record = watched(run)
    found = finding(record, "seeing")
    assert found.severity == "error"
    assert {name.partition(".")[0] for name in found.tensors} == {"model#2"}
    assert len(found.tensors) == 4
    assert {row.changed.verdict for row in record.tensors if row.name in found.tensors} == {"no"}
    assert [rule for rule, _ in graver(record)] == ["seeing"]


def test_folds_with_an_optimizer_each_are_healthy():
    def run():
        for _ in range(2):
            model = net()
            train(model, torch.optim.SGD(model.parameters(), 0.1), rows(12))

    record = watched(run)
    assert graver(record) == []
    assert {row.changed.verdict for row in record.tensors} == {"yes"}


def test_a_model_that_runs_between_two_checks_only_is_in_the_table():
    def run():
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        train(model, optimizer, rows(17))
        later = net()
        for batch in rows(9):
            squares(later, batch).backward()
            optimizer.step()
            later.zero_grad()

    record = watched(run)
    names = [name for rule, names in graver(record) if rule == "not-in-any-optimizer" for name in names]
    assert {name.partition(".")[0] for name in names} == {"later"}


def test_modules_that_are_made_in_each_pass_do_not_keep_passes_watched(monkeypatch):
    class Makes(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 4)

        def forward(self, batch):
            return nn.Linear(4, 2)(self.first(batch))

    switched = []
    from frostline.frameworks.torch.forward_passes import ForwardPasses

    switch = ForwardPasses.switch
    monkeypatch.setattr(
        ForwardPasses, "switch", lambda self, on: (switched.append(on and not self._handles), switch(self, on))[1]
    )

    def run():
        model = Makes()
        train(model, torch.optim.SGD(model.parameters(), 0.1), rows(64))

    watched(run)
    assert sum(map(bool, switched)) <= 2 * 7 + 4  # around checks, and at the 1st, 2nd, 4th, … such step
