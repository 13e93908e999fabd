"""L8 at the load: what of a file that was given to a model is in it when the first step begins."""

from __future__ import annotations

import copy

import pytest
import safetensors.torch
import torch
from torch import nn

import frostline


class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.words = nn.Embedding(20, 16)
        self.body = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
        self.head = nn.Linear(16, classes)

    def forward(self, ids):
        return self.head(self.body(self.words(ids).mean(1)))


@pytest.fixture
def published(tmp_path):
    """A file of a model that was trained."""
    torch.manual_seed(1)
    model = Net()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor).abs())
    torch.save({"model": model.state_dict(), "epoch": 3}, tmp_path / "net.pt")
    safetensors.torch.save_file(model.state_dict(), tmp_path / "net.safetensors")
    return tmp_path / "net.pt"


def run(prepare, path, steps=3):
    """Train what ``prepare`` made of a new model and the file; what is said of the load."""
    torch.manual_seed(0)
    with frostline.watch() as seen:
        model = prepare(Net(), path)
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.randint(0, 20, (8, 5))).square().mean().backward()
            optimizer.step()
    return [each for each in seen.report.record.findings if each.code == "L8"]


def state(path):
    return torch.load(path)["model"]


def named_otherwise(model, path):
    model.load_state_dict({f"module.net.{name}": value for name, value in state(path).items()}, strict=False)
    return model


def filtered_away(model, path):
    renamed = {f"net.{name}": value for name, value in state(path).items()}
    torch.save(renamed, path.with_name("renamed.pt"))
    read, own = torch.load(path.with_name("renamed.pt")), model.state_dict()
    own.update({name: value for name, value in read.items() if name in own})
    model.load_state_dict(own)
    return model


def filtered_to_nothing(model, path):
    torch.save({f"net.{name}": value for name, value in state(path).items()}, path.with_name("renamed.pt"))
    read = torch.load(path.with_name("renamed.pt"))
    model.load_state_dict({name: value for name, value in read.items() if name in model.state_dict()}, strict=False)
    return model


def initialised_after(model, path):
    model.load_state_dict(state(path))
    for tensor in model.parameters():
        nn.init.uniform_(tensor, -0.1, 0.1)
    for norm in (each for each in model.modules() if isinstance(each, nn.BatchNorm1d)):
        norm.reset_running_stats()
    return model


def layers_replaced(model, path):
    model.load_state_dict(state(path))
    model.words, model.body, model.head = (copy.deepcopy(each) for each in Net().children())
    return model


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (named_otherwise, "8 of its names are the model's without 'module.net.' in front"),
        (filtered_away, "are the model's without 'net.' in front"),
        (filtered_to_nothing, "are the model's without 'net.' in front"),
        (initialised_after, "took them and were rewritten since"),
        (layers_replaced, "took them and were rewritten since"),
    ],
)
def test_a_load_of_which_nothing_is_there_is_an_error(prepare, said, published):
    (found,) = run(prepare, published)
    assert found.severity == "error"
    assert "0 of " in found.message
    assert said in found.message
    assert found.evidence["loaded_by"].split("/")[-1].startswith("test_loaded_files.py:")


def frozen_rewritten(model, path):
    model.load_state_dict(safetensors.torch.load_file(path.with_suffix(".safetensors")))
    model.body.apply(lambda layer: nn.init.normal_(layer.weight) if isinstance(layer, nn.Linear) else None)
    model.body.requires_grad_(False)
    return model


def test_a_frozen_tensor_that_was_rewritten_since_is_an_error_with_the_line(published):
    (found,) = run(frozen_rewritten, published)
    assert (found.severity, found.tensors) == ("error", ["model.body.0.weight", "model.body.3.weight"])
    assert "loaded from net.safetensors and rewritten" in found.message
    assert found.evidence["rewritten_by"][0].split("/")[-1].startswith("test_loaded_files.py:")


def new_head(model, path):
    model.load_state_dict(state(path))
    model.head = nn.Linear(16, 5)
    return model


def backbone_alone(model, path):
    model.load_state_dict({name: value for name, value in state(path).items() if "head" not in name}, strict=False)
    return model


def other_classes(_, path):
    model = Net(7)
    model.load_state_dict({name: value for name, value in state(path).items() if "head" not in name}, strict=False)
    return model


def resized(model, path):
    model.load_state_dict(state(path))
    words = nn.Embedding(30, 16)
    with torch.no_grad():
        words.weight[:20] = model.words.weight
    model.words = words
    return model


def in_double(model, path):
    model.load_state_dict(state(path))
    return model.double()


def rounded(model, path):
    model.load_state_dict(state(path))
    for tensor in model.parameters():
        tensor.data = (tensor.data * 8).round() / 8
    return model.requires_grad_(False).head.requires_grad_(True) and model


def pruned(model, path):
    model.load_state_dict(state(path))
    for tensor in model.body.parameters():
        tensor.data *= tensor.data.abs() > 0.3
    model.body.requires_grad_(False)
    return model


def averaged_files(model, path):
    one, other = state(path), state(path)
    other = {name: value * 1.5 for name, value in other.items()}
    model.load_state_dict({name: (one[name] + other[name]) / 2 for name in one})
    return model


def weight_norm(model, path):
    model.load_state_dict(state(path))
    nn.utils.parametrizations.weight_norm(model.body[0])
    return model


class Adapted(nn.Module):
    """An adapter that takes the largest part of a weight for itself, and leaves the rest in its base."""

    def __init__(self, base):
        super().__init__()
        left, scale, right = torch.linalg.svd(base.weight.detach(), full_matrices=False)
        self.base, self.left = base.requires_grad_(False), nn.Parameter(left[:, :1] * scale[:1] / 4)
        self.right = nn.Parameter(right[:1])
        base.weight.data -= self.left.data @ self.right.data

    def forward(self, rows):
        return self.base(rows) + rows @ self.right.T @ self.left.T


def adapted(model, path):
    model.load_state_dict(state(path))
    model.body[0] = Adapted(model.body[0])
    return model


def read_for_its_epoch(model, path):
    assert torch.load(path)["epoch"] == 3
    return model


def loaded_again(model, path):
    torch.save({name: value * -1.0 for name, value in state(path).items()}, path.with_name("other.pt"))
    model.load_state_dict(torch.load(path.with_name("other.pt")))
    model.load_state_dict(state(path))
    return model


@pytest.mark.parametrize(
    "prepare",
    [
        new_head,
        backbone_alone,
        other_classes,
        resized,
        in_double,
        rounded,
        pruned,
        averaged_files,
        weight_norm,
        adapted,
        read_for_its_epoch,
        loaded_again,
    ],
)
def test_what_scripts_do_with_a_file_on_purpose_is_at_most_a_note(prepare, published):
    assert [each for each in run(prepare, published) if each.severity != "note"] == []


def test_a_part_is_listed(published):
    (found,) = run(backbone_alone, published)
    assert (found.severity, found.tensors) == ("note", ["model.head.weight"])
    assert "left out" in found.message
