"""L8 for files whose tensors a script takes out one by one: safetensors.safe_open, archives of numpy, pickles."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from torch import nn
from toy import rows, train, watched


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))


@pytest.fixture
def published(tmp_path):
    """Files of one model that was trained, in three formats."""
    torch.manual_seed(1)
    state = {name: tensor + torch.randn_like(tensor) for name, tensor in net().state_dict().items()}
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    safetensors.torch.save_file(state, tmp_path / "net.safetensors")
    np.savez(tmp_path / "net.npz", **arrays)
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(arrays))
    return tmp_path


def by_safe_open(folder):
    with safetensors.safe_open(folder / "net.safetensors", framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no dictionary


def by_numpy(folder):
    with np.load(folder / "net.npz") as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


def by_pickle(folder):
    with (folder / "net.pkl").open("rb") as file:
        return {name: torch.from_numpy(value) for name, value in pickle.load(file).items()}


WAYS = [by_safe_open, by_numpy, by_pickle]


def said(prepare, folder, read):
    """What is said of a load by a run that trains the last layer of what ``prepare`` made."""

    def run():
        torch.manual_seed(0)
        model = prepare(net(), read(folder))
        train(model, torch.optim.SGD([each for each in model.parameters() if each.requires_grad], 0.1), rows(4))

    return [each for each in watched(run).findings if each.code == "L8"]


def plain(model, state):
    model.load_state_dict(state)
    return model


def named_otherwise(model, state):
    model.load_state_dict({f"module.{name}": tensor for name, tensor in state.items()}, strict=False)
    return model


def drawn_anew(model, state):
    model.load_state_dict(state)
    nn.init.normal_(model[2].weight)
    model[2].requires_grad_(False)
    return model


@pytest.mark.parametrize("read", WAYS)
def test_a_load_that_landed_says_nothing(read, published):
    assert said(plain, published, read) == []


@pytest.mark.parametrize("read", WAYS)
def test_a_load_of_which_nothing_landed_is_an_error(read, published):
    (found,) = said(named_otherwise, published, read)
    assert (found.severity, found.evidence["there"], found.evidence["file"].partition(".")[0]) == ("error", 0, "net")
    assert "without 'module.' in front" in found.message


@pytest.mark.parametrize("read", WAYS)
def test_a_frozen_tensor_that_was_drawn_anew_is_an_error(read, published):
    (found,) = said(drawn_anew, published, read)
    assert (found.severity, found.tensors) == ("error", ["model.2.weight"])


def test_an_open_file_is_what_it_was(published):
    def run():
        with safetensors.safe_open(published / "net.safetensors", framework="pt") as opened:
            assert opened.get_slice("0.weight").get_shape() == [16, 4]
            assert sorted(opened.keys()) == sorted(net().state_dict())
        model = net()
        train(model, torch.optim.SGD(model.parameters(), 0.1), rows(2))

    opener, load = safetensors.safe_open, pickle.load
    assert watched(run).run.faults == []
    assert (safetensors.safe_open, pickle.load) == (opener, load)
