"""L9 from facts alone: files that repeat earlier ones, exports without their adapters, adapters without their base."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.laws.test_every_law import held, moved, run, weight

from frostline.core import facts
from frostline.core.columns.saved import Copy, Saved
from frostline.core.ledger import Ledger
from frostline.core.record import Finding
from frostline.laws import judge

STEP = {"optimizer": "sgd", "trainable": True, "gradient": "nonzero"}


def said(ledger: Ledger) -> list[Finding]:
    return [each for each in judge(ledger)[0] if each.code == "L9"]


def alike(*files: str, went_on: bool = False) -> list[Finding]:
    event = facts.FilesAlike(
        step=30, files=files, steps=(10, 20, 30)[: len(files)], tensors=("net.w",), went_on=went_on
    )
    return said(run(*weight(), held(), moved(**STEP), event))


def test_a_series_that_repeats_itself_is_an_error_that_names_all_files() -> None:
    (found,) = alike("s10.pt", "s20.pt", "s30.pt")
    assert (found.severity, found.tensors) == ("error", ["net.w"])
    assert "s20.pt, s30.pt hold the bits of s10.pt, which was written after step 10, though 1 tensor" in found.message
    assert "moved in the 20 steps between" in found.message


@pytest.mark.parametrize(("files", "went_on"), [(("best.pt",) * 3, False), (("s10.pt", "s20.pt"), True)])
def test_what_may_be_kept_on_purpose_is_a_note(files: tuple[str, ...], went_on: bool) -> None:
    (found,) = alike(*files, went_on=went_on)
    assert (found.severity, "on purpose" in (found.hint or "")) == ("note", True)


def exported(name: str = "mix.weight", state: str = "same", step: int = 8, **more: Any) -> list[Finding]:
    """An adapted layer of which a file has the weight inside, while its adapter was trained."""
    inner = [*weight(0, "net.mix.base.weight", owner="mix.base"), facts.FlagDeclared(tensor=0, flag=False)]
    adapter = [*weight(1, "net.mix.up", owner="mix"), held(1), moved(1, **STEP)]
    other = [*weight(2, "net.out.weight", owner="out"), held(2), moved(2, **STEP)]
    ledger = run(*inner, *adapter, *other)
    copy = Copy("served.pt", name, step, state)  # type: ignore[arg-type]
    rows = {row.name: row for row in ledger.tensors}
    rows["net.mix.base.weight"].saved = Saved(copy.state, [copy])
    for row, has in more.items():
        rows[{"up": "net.mix.up"}[row]].saved = Saved("same", [Copy(has, "mix.up", 8, "same")])
    return said(replace(ledger, tensors=list(rows.values())))


def test_a_whole_layer_without_its_adapter_is_an_error() -> None:
    (found,) = exported()
    assert (found.severity, found.tensors) == ("error", ["net.mix.base.weight"])
    assert "served.pt has 1 tensor (4 parameters) of net under the names of their whole layers" in found.message
    assert len(exported(up="adapters.pt")) == 1


@pytest.mark.parametrize(
    "seen",
    [
        {"name": "mix.base.weight"},  # a part that says so
        {"state": "other"},  # merged into what was written
        {"step": 0},  # written before training
        {"up": "served.pt"},  # its adapter beside it
    ],
)
def test_other_exports_are_none(seen: dict[str, Any]) -> None:
    assert exported(**seen) == []


def based(lost: bool = True, close: bool = False) -> list[Finding]:
    inner = [*weight(0, "net.mix.base.weight", owner="mix.base"), facts.FlagDeclared(tensor=0, flag=False)]
    adapter = [*weight(1, "net.mix.up", owner="mix"), held(1), moved(1, **STEP)]
    name = ("net.mix.base.weight",)
    load = facts.LoadCompared(
        step=0, file="net.pt", model="net", entries=2, there=1, rewritten=name, close=name if close else ()
    )
    ledger = run(*inner, *adapter, load)
    base, up = ledger.tensors
    base.saved = Saved("missing" if lost else "same", [])
    up.saved = Saved("same", [Copy("adapters.pt", "mix.up", 8, "same")])
    return said(ledger)


def test_adapters_without_the_base_that_they_rewrote_are_reported() -> None:
    assert [(each.severity, each.tensors) for each in based()] == [("error", ["net.mix.base.weight"])]
    assert [each.severity for each in based(close=True)] == ["warning"]
    assert based(lost=False) == []
