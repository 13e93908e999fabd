"""L6 from facts alone: a copy in a file that follows its source in a part of its tensors."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import held, moved, run, weight

from frostline.core.columns.saved import Copy, CopyState, Saved
from frostline.core.events.averages import CopyKept
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


KEPT = {
    "step": 40, "name": "ema", "kind": "list", "model": "net",
    "tensors": ("ema.0", "ema.1"), "sources": ("net.0", "net.1"),
    "still": (), "apart": (0.1, 0.1), "dtypes": ("float32",), "began": 1, "rate": 0.1, "moved_at": 40, "written": 39,
    "called_average": True,
}  # fmt: skip


def kept(**seen: object) -> list[tuple[str, str, list[str]]]:
    """Code, severity and tensors of what is found of a copy that the script keeps, with this seen of it."""
    rows = [
        each
        for tensor in (0, 1)
        for each in (
            *weight(tensor, f"net.{tensor}"),
            held(tensor),
            moved(tensor, **STEP),
            *weight(2 + tensor, f"ema.{tensor}"),
        )
    ]
    ledger = run(*rows, CopyKept(**{**KEPT, **seen}))
    return [(each.code, each.severity, each.tensors) for each in judge(ledger)[0] if each.code == "L6"]


BOTH = ["ema.0", "ema.1"]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ({}, []),
        ({"moved_at": 16}, [("L6", "error", BOTH)]),
        ({"moved_at": 32}, []),  # for less than a third of the steps
        ({"moved_at": 16, "written": 3}, []),  # as long as from one update to the next, or a few times that
        ({"moved_at": 16, "rate": None}, []),  # nothing showed that it follows
        ({"moved_at": None, "written": 0}, [("L6", "note", BOTH)]),
        ({"moved_at": None, "written": 0, "called_average": False}, []),  # nothing says that it is to follow
        ({"moved_at": None, "written": 0, "began": 39}, []),  # too few steps
        ({"moved_at": None}, [("L6", "error", BOTH)]),
        ({"moved_at": None, "apart": (0.01, 0.01)}, []),  # rounding may explain it
        ({"moved_at": None, "apart": (0.05, 0.05), "dtypes": ("bfloat16",)}, [("L6", "error", BOTH)]),
        ({"still": ("ema.1",)}, [("L6", "error", ["ema.1"])]),
        ({"still": ("ema.1",), "apart": (0.1, 1e-7)}, []),  # too near for a move to show
        ({"still": ("ema.1",), "rate": None}, []),
        ({"dtypes": ("bfloat16",), "far": 40, "unmoved": 30}, [("L6", "error", BOTH)]),
        ({"dtypes": ("bfloat16",), "far": 40, "unmoved": 10}, []),
        ({"dtypes": ("bfloat16",), "far": 4, "unmoved": 4}, []),
        ({"far": 40, "unmoved": 30}, []),
    ],
)  # fmt: skip
def test_a_kept_copy_is_judged_by_what_looks_showed(seen: dict[str, object], found: list[object]) -> None:
    assert kept(**seen) == found
