"""Parameters that a script puts in the place of others during the run, and optimizers that keep to the former ones."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize
from toy import finding, graver, rows, tensor_row, watched
from toy import train as loop

import frostline


def train(after, steps=20):
    """Train two layers; ``after`` is called after each step with its number, the model and the optimizer."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).sub(1).square().mean().backward()
            optimizer.step()
            after(step, model, optimizer)
    return seen.report.record


def drop(step, model, optimizer):
    model[2] = nn.Linear(8, 1)


def drop_often(step, model, optimizer):
    if step % 3 == 0:
        model[2].weight = nn.Parameter(torch.randn(1, 8))


def drop_once(step, model, optimizer):
    if step == 11:
        drop(step, model, optimizer)


def drop_and_hold(step, model, optimizer):
    if step == 11:
        drop(step, model, optimizer)
        optimizer.add_param_group({"params": list(model[2].parameters())})


def drop_at_the_end(step, model, optimizer):
    if step == 20:
        drop(step, model, optimizer)


def put_results(step, model, optimizer):
    held = optimizer.param_groups[0]["params"]
    with torch.no_grad():
        if step > 1 and model[2].weight.grad is not None:
            held[2] -= 0.1 * model[2].weight.grad
        model[2].weight = nn.Parameter(held[2].clone())


@pytest.mark.parametrize("after", [drop_once, drop_often, drop])
def test_the_optimizer_keeps_to_the_former_tensor(after):
    told = finding(train(after), "optimizer-holds-other-tensors")
    assert (told.severity, "2.weight" in told.tensors[-1] or "2.weight" in told.tensors[0]) == ("error", True)


@pytest.mark.parametrize("after", [drop_and_hold, drop_at_the_end, put_results])
def test_nothing_is_told_where_the_new_tensor_is_trained(after):
    assert graver(train(after)) == []


def plain():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def normalised():
    return nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 8)), nn.Tanh(), nn.Linear(8, 1))


def normalised_by_hooks():
    return nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 8)), nn.Tanh(), nn.Linear(8, 1))


def remove(model):
    parametrize.remove_parametrizations(model[0], "weight")


def remove_hooks(model):
    nn.utils.remove_weight_norm(model[0])


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize(
    ("make", "undo"), [(normalised, remove), (normalised_by_hooks, remove_hooks)], ids=["parametrized", "hooked"]
)
@pytest.mark.parametrize("late", [False, True], ids=["before training", "during training"])
@pytest.mark.parametrize("again", [False, True], ids=["kept", "made again"])
def test_a_normalisation_that_is_taken_off_leaves_the_optimizer_its_parts(make, undo, late, again):
    def run():
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loop(model, optimizer, rows() if late else [])
        undo(model)
        loop(model, torch.optim.SGD(model.parameters(), lr=0.1) if again else optimizer, rows(24))

    expected = [] if again else [("optimizer-holds-other-tensors", ["model.0.weight"])]
    assert graver(watched(run)) == expected


@pytest.mark.parametrize("both", [False, True], ids=["the optimizer", "the model too"])
def test_a_copied_optimizer_steps_copies(both):
    def run():
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model, optimizer = copy.deepcopy((model, optimizer)) if both else (model, copy.deepcopy(optimizer))
        loop(model, optimizer, rows(24))

    names = ["model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias"]
    assert graver(watched(run)) == ([] if both else [("optimizer-holds-other-tensors", names)])


@pytest.mark.parametrize("late", [False, True], ids=["at the start", "in the midst"])
def test_an_optimizer_keeps_to_the_model_that_another_one_took_the_place_of(late):
    def run():
        model = plain()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        loop(model, optimizer, rows(10) if late else [])
        fresh = plain()
        fresh.load_state_dict(model.state_dict())
        loop(fresh, optimizer, rows(24))

    told = finding(watched(run), "optimizer-holds-other-tensors")
    assert (told.severity, told.tensors[0], "holds those of model" in told.message) == ("error", "fresh.0.weight", True)


def test_an_optimizer_that_is_copied_in_the_midst_of_training_steps_copies():
    def run():
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loop(model, optimizer, rows(10))
        loop(model, copy.deepcopy(optimizer), rows(24))

    told = finding(watched(run), "optimizer-holds-other-tensors")
    assert (told.severity, len(told.tensors), "since step 10" in told.message) == ("error", 4, True)


def test_what_is_freed_before_training_is_no_row():
    def run():
        model = normalised()
        model(torch.ones(1, 4))
        remove(model)
        loop(model, torch.optim.SGD(model.parameters(), lr=0.1), rows())

    assert {tensor_row.changed.verdict for tensor_row in watched(run).tensors} == {"yes"}


@pytest.mark.parametrize(("steps", "verdict"), [(8, "no"), (9, "unknown")])
def test_what_is_freed_is_known_where_a_look_followed_the_last_step(steps, verdict):
    def run():
        model = nn.Sequential(*plain(), nn.Linear(1, 1).requires_grad_(False))
        loop(model, torch.optim.SGD(model[:3].parameters(), lr=0.1), rows(steps))
        del model[3]

    assert tensor_row(watched(run), "model.3.weight").changed.verdict == verdict
