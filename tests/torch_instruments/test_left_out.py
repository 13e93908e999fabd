"""Frozen weights that what was loaded into their model had nothing for."""

import pytest
import torch
from torch import nn
from toy import finding

import frostline


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))
        self.neck = nn.Linear(16, 12)
        self.head = nn.Linear(12, 2)
        nn.init.normal_(self.neck.weight, std=0.02)
        nn.init.zeros_(self.neck.bias)

    def forward(self, rows):
        return self.head(self.neck(self.body(rows)))


def run(load):
    """Train the head of an encoder that is frozen after ``load`` put state into it."""
    published = {name: value for name, value in Encoder().state_dict().items() if name.startswith("body")}
    model = Encoder()
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        load(model, published)
        model.body.requires_grad_(False)
        model.neck.requires_grad_(False)
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.randn(8, 16)).square().mean().backward()
            optimizer.step()
    return seen.report.record


def part(model, published):
    model.load_state_dict(published, strict=False)


def into_one_layer(model, published):
    model.body.load_state_dict({name.removeprefix("body."): value for name, value in published.items()})


def smaller_part(model, published):
    model.load_state_dict({"body.0.bias": published["body.0.bias"]}, strict=False)


def part_then_rest(model, published):
    part(model, published)
    model.neck.load_state_dict(Encoder().neck.state_dict())


def rest_then_part(model, published):
    model.neck.load_state_dict(Encoder().neck.state_dict())
    part(model, published)


def part_then_by_hand(model, published):
    part(model, published)
    with torch.no_grad():
        model.neck.weight.copy_(torch.randn(12, 16).abs())
        model.neck.bias.copy_(torch.randn(12))


def test_what_a_load_left_out_and_the_script_froze_is_told():
    told = finding(run(part), "frozen-random-weights")
    assert told.severity == "note"
    assert told.tensors == ["model.neck.weight", "model.neck.bias"]
    assert told.evidence["left_out_of_load"] is True
    assert "had nothing for them" in told.message


@pytest.mark.parametrize("load", [into_one_layer, smaller_part, part_then_rest, rest_then_part, part_then_by_hand])
def test_no_load_is_said_to_have_left_out_what_was_loaded_written_or_never_meant(load):
    record = run(load)
    assert not [each for each in record.findings if each.evidence.get("left_out_of_load")]
