"""T203 and T204 where a layer's own loss is in no loss that is minimised, from facts alone."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import held, run, weight

from frostline.core import facts
from frostline.core.ledger import Gradient
from frostline.laws import judge

UNREAD = facts.AddedLossUnread(step=8, layer="uncertainty", tensors=("net.w",))


@pytest.mark.parametrize(("gradient", "code"), [("none", "T203"), ("zero", "T204")])
def test_a_loss_that_nothing_read_is_the_cause(gradient: Gradient, code: str) -> None:
    """It is all that the optimizer holds, which makes both an error."""
    found = facts.GradientsSeen(gradient=gradient, tensors=(0,), optimizer="sgd")
    kept = facts.FlagHeld(tensors=(0,), flag=True, steps=8)
    [said] = judge(run(*weight(), held(), found, kept, UNREAD))[0]
    assert (said.code, said.severity) == (code, "error")
    assert "uncertainty gave a loss to add_loss, and nothing read the model's losses" in said.message
    assert "model.losses" in (said.hint or "")
    [other] = judge(run(*weight(), held(), found, kept))[0]
    assert "add_loss" not in other.message
