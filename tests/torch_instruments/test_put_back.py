"""A tensor that steps move and that the script gives its first bits back: a kept promise, proven at every check."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import frostline


def findings(put_back, steps=12):
    """What is said of words that are expected to stay, where ``put_back`` gets them after each step with its number."""
    model = nn.Sequential(nn.EmbeddingBag(20, 4), nn.Linear(4, 2))
    words = model[0].weight
    known = words.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer, frozen=["*0.weight"]) as seen:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            model(torch.randint(0, 20, (8, 5))).square().mean().backward()
            optimizer.step()
            with torch.no_grad():
                put_back(words, known, step)
    return [(each.code, each.severity, each.evidence.get("excuse")) for each in seen.report.record.findings]


def always(words, known, _):
    words.copy_(known)


def not_at_the_end(words, known, step):
    if step < 12:
        words.copy_(known)


def at_the_end_alone(words, known, step):
    if step == 12:
        words.copy_(known)


def nearly(words, known, _):
    words.copy_(known + 1e-6)


def test_what_is_put_back_after_each_step_is_a_note_with_its_proof():
    [(code, severity, excuse)] = findings(always)
    assert (code, severity) == ("M501", "note")
    assert excuse == "put back: had its first bits at the start of 3 later checks, and has them at the end"


@pytest.mark.parametrize("put_back", [not_at_the_end, at_the_end_alone, nearly])
def test_anything_less_breaks_the_promise(put_back):
    assert [(code, severity) for code, severity, _ in findings(put_back) if code == "M501"] == [("M501", "error")]
