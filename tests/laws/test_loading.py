"""L8 from facts alone: what of a file that was loaded is in the model at the first step."""

from __future__ import annotations

from typing import Any

import pytest
from tests.laws.test_every_law import run, weight

from frostline.core import facts
from frostline.core.events.fact import Origin
from frostline.core.ledger import Ledger
from frostline.core.record import Excused, Finding
from frostline.laws import judge

NAMES = ("net.a", "net.b", "net.c")


def loaded(entries: int = 3, there: int = 0, **more: Any) -> facts.LoadCompared:
    return facts.LoadCompared(step=0, file="net.pt", model="net", entries=entries, there=there, **more)


def said(*loads: facts.LoadCompared, frozen: tuple[int, ...] = ()) -> tuple[list[Finding], list[Excused]]:
    rows = [each for tensor, name in enumerate(NAMES) for each in weight(tensor, name)]
    flags = [facts.FlagDeclared(tensor=tensor, flag=False) for tensor in frozen]
    ledger: Ledger = run(*rows, *flags, *loads)
    findings, excused = judge(ledger)
    return [each for each in findings if each.code == "L8"], excused


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (loaded(rewritten=NAMES), "3 tensors took them and were rewritten since"),
        (loaded(lacking=NAMES, before="module"), "3 of its names are the model's without 'module.' in front"),
        (loaded(lacking=NAMES, after="base"), "3 of its names are the model's with 'base.' in front"),
        (loaded(absent=NAMES), "the layers that took them were replaced since"),
    ],
)
def test_nothing_of_a_file_is_an_error(load: facts.LoadCompared, why: str) -> None:
    (found,), _ = said(load)
    assert (found.severity, found.tensors) == ("error", list(NAMES))
    assert "0 of 3 tensors of net.pt are in net before step 1" in found.message
    assert why in found.message


def test_the_hint_says_what_to_compare_where_nothing_of_a_file_was_given() -> None:
    given, not_given = (said(loaded(absent=NAMES, gave_nothing=nothing))[0][0].hint or "" for nothing in (False, True))
    assert given.startswith("check the names that the load reports as missing")
    assert not_given.startswith("check the names that the script compares")


def test_what_is_there_in_another_form_is_no_loss() -> None:
    assert said(loaded(absent=("a",))) == ([], [])


def test_a_frozen_tensor_that_was_rewritten_is_an_error_and_a_trainable_one_a_note() -> None:
    line = Origin("train.py", 7, "main")
    load = loaded(there=1, rewritten=NAMES[:2], lines=("train.py:9",), origin=line)
    (error, note), _ = said(load, frozen=(0,))
    assert (error.severity, error.tensors) == ("error", ["net.a"])
    assert error.evidence["loaded_by"] == "train.py:7 in main"
    assert error.evidence["rewritten_by"] == ["train.py:9"]
    assert (note.severity, note.tensors) == ("note", ["net.b"])
    assert "1 of 3 tensors of net.pt are in net" in note.message


def test_values_that_go_together_with_those_of_the_file_are_excused() -> None:
    found, excused = said(loaded(there=2, rewritten=NAMES[:1], close=NAMES[:1]), frozen=(0,))
    assert found == []
    assert [(each.law, each.tensor) for each in excused] == [("L8", "net.a")]
    assert "net.pt" in excused[0].proof


def test_the_last_comparison_of_a_file_counts() -> None:
    assert said(loaded(rewritten=NAMES), loaded(there=3))[0] == []
    assert len(said(loaded(there=3), loaded(rewritten=NAMES))[0]) == 1


def test_statistics_have_no_flag_of_their_own() -> None:
    mean = [*weight(0, "net.mean", kind="buffer"), facts.FlagDeclared(tensor=0, flag=False)]
    findings = judge(run(*mean, loaded(there=2, rewritten=("net.mean",))))[0]
    assert [(each.code, each.severity) for each in findings] == [("L8", "note")]
