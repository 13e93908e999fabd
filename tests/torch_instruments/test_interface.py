"""The Python interface: watch, report, check, assert_frozen and summary."""

import pytest
import torch
from torch import nn
from toy import rows, train

import frostline
from frostline.errors import FindingsError
from frostline.frameworks.torch.instruments.optimizers import manual_updates


@pytest.fixture
def model():
    made = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    made[0].requires_grad_(False)
    return made


def steps(model):
    train(model, torch.optim.SGD(model.parameters(), 0.1), rows(4))


def test_a_frozen_layer_that_stays_passes(model):
    frostline.assert_frozen(model, "0.**", during=lambda: steps(model))


def test_a_frozen_layer_that_is_written_raises_with_its_name_and_a_hint(model):
    def write():
        steps(model)
        model[0].weight.data.add_(1)
        steps(model)

    with pytest.raises(FindingsError, match=r"0\.weight") as caught:
        frostline.assert_frozen(model, "0.**", during=write)
    assert caught.value.hint in str(caught.value)
    assert isinstance(caught.value, AssertionError)


def test_a_pattern_that_matches_nothing_is_no_passed_check(model):
    with pytest.raises(FindingsError, match="matches none"):
        frostline.assert_frozen(model, "backbon.**", during=lambda: steps(model))


def test_a_watch_reports_during_and_after(model):
    with frostline.watch(model, frozen=["0.**"], trained=["1.**"]) as seen:
        steps(model)
        assert seen.report.record.run.complete is False
    seen.report.check("warning")
    assert seen.report.record.totals.changed == 5
    assert "no contradiction" in str(seen.report)


def test_what_was_meant_is_checked(model):
    with frostline.watch(model, trained=["0.**"]) as seen:
        steps(model)
    with pytest.raises(FindingsError, match="expected-trained-but-frozen"):
        seen.report.check()


def test_a_summary_names_every_layer(model):
    text = str(frostline.summary(model))
    assert all(word in text for word in ("frozen", "trainable", "25"))


def test_the_hooks_are_gone_afterwards(model):
    before = dict(vars(torch.optim.Optimizer)), torch.autograd.backward, torch.compile
    with frostline.watch(model):
        steps(model)
    assert (dict(vars(torch.optim.Optimizer)), torch.autograd.backward, torch.compile) == before


@pytest.mark.parametrize(("named", "searches"), [(True, 0), (False, 1)])
def test_an_optimizer_that_was_named_is_searched_for_nowhere(model, named, searches, monkeypatch):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    searched = []
    alive = manual_updates.alive
    monkeypatch.setattr(manual_updates, "alive", lambda kind: searched.append(kind) or alive(kind))
    with frostline.watch(model, *[optimizer] * named) as seen:
        train(model, optimizer, rows(4))
    assert searched == [torch.optim.Optimizer] * searches
    assert [row.name for row in seen.report.record.optimizers] == ["SGD"]
