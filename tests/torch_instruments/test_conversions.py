"""A model that is converted to a narrower type and back is rounded, frozen tensors and all."""

import copy

import pytest
import torch
from torch import nn
from toy import finding, graver, rows, train, watched

NARROW = {
    "bfloat16": lambda model: model.bfloat16().float(),
    "half": lambda model: model.half().float(),
    "to": lambda model: model.to(torch.float16).to(dtype=torch.float32),
}


def normed() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    model(torch.randn(16, 4))
    model[:2].requires_grad_(False).eval()
    return model


def rounds(model, convert, times=3):
    optimizer = torch.optim.SGD(model[2].parameters(), 0.1)
    for _ in range(times):
        train(model, optimizer, rows(3))
        convert(model)


@pytest.mark.parametrize("convert", NARROW.values(), ids=NARROW)
def test_there_and_back_is_told_as_rounding(convert):
    model = normed()
    record = watched(lambda: rounds(model, convert))
    found = finding(record, "frozen-but-rewritten-outside-step")
    parts = {"0.weight", "0.bias", "1.running_mean", "1.running_var"}
    assert {name.removeprefix("model.") for name in found.tensors} == parts
    assert (found.evidence["first_step"], "a type of fewer digits" in found.message) == (4, True)


@pytest.mark.parametrize(
    "convert",
    [
        lambda model: model.double().float(),
        lambda model: model.to("cpu"),
        lambda model: model.to(torch.ones(1)),
        lambda model: copy.deepcopy(model).bfloat16(),
    ],
    ids=["wider", "device", "like a tensor", "a copy"],
)
def test_nothing_is_told_where_nothing_is_rounded(convert):
    model = normed()
    assert graver(watched(lambda: rounds(model, convert))) == []


def test_a_write_beside_a_conversion_is_not_put_down_to_it():
    model = normed()

    def write(model):
        model.bfloat16().float()
        with torch.no_grad():
            model[0].weight.add_(torch.randn(8, 4))

    found = finding(watched(lambda: rounds(model, write)), "frozen-but-rewritten-outside-step")
    assert found.tensors
