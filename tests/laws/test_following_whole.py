"""L6 from facts alone: a copy in a file that follows its source in a part of its tensors."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import held, moved, run, weight

from frostline.core.columns.saved import Copy, CopyState, Saved
from frostline.core.ledger import Ledger
from frostline.laws import judge

STEP = {"optimizer": "sgd", "trainable": True, "gradient": "nonzero"}


def written(*states: CopyState, dtype: str = "float32") -> Ledger:
    """A run whose file has another module's copy of each trained tensor, in these states."""
    rows = [
        each
        for tensor in range(len(states))
        for each in (*weight(tensor, f"net.{tensor}"), held(tensor), moved(tensor, **STEP))
    ]
    ledger = run(*rows)
    for row, state in zip(ledger.tensors, states, strict=True):
        copy = Copy("shadow.pt", row.name, 8, state, dtype, origin="average" if state == "first" else None)
        row.saved = Saved(state, [copy])
    return ledger


def said(*states: CopyState, dtype: str = "float32") -> list[tuple[str, str, list[str]]]:
    """Code, message and tensors of what is found there."""
    return [(each.code, each.message, each.tensors) for each in judge(written(*states, dtype=dtype))[0]]


@pytest.mark.parametrize(("dtype", "rounds"), [("float32", False), ("bfloat16", True)])
def test_a_copy_that_follows_in_part_is_an_error_of_its_own(dtype: str, rounds: bool) -> None:
    [(code, message, tensors)] = said("other", "first", "first", dtype=dtype)
    assert (code, tensors) == ("L6", ["net.1", "net.2"])
    assert "shadow.pt holds average, a copy of net that was updated in 1 tensor" in message
    assert ("bfloat16 rounds small changes away" in message) is rounds


def test_a_frozen_source_has_nothing_to_follow() -> None:
    ledger = written("other", "first", "first")
    ledger.tensors[2].changed.verdict = "no"
    assert [each.tensors for each in judge(ledger)[0] if each.code == "L6"] == [["net.1"]]


def test_a_copy_that_follows_nowhere_is_another_model_and_one_that_follows_everywhere_is_none() -> None:
    assert [code for code, *_ in said("first", "first")] == ["S603"]
    assert said("other", "other") == []
