"""Laws and causes of a project's own: found by entry points, judged beside frostline's, and never in their way."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from frostline.cli import main
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge, own
from frostline.laws.causes.cause import Case, Cause
from frostline.laws.law import Law, Violation

WORDS = {"severity": "error", "matters": "It matters.", "remedy": "mend it"}
NAMED = Law(
    "X1",
    "named-well",
    **WORDS,
    statement="A weight has a name.",
    needs=(),
    cannot_see="Nothing.",
    violations=lambda run: [
        Violation((row,), f"{row.name} is no name", {}) for row in run.tensors if "weight" in row.name
    ],
)
COUNTED = Cause(
    code="X101",
    slug="counted-twice",
    **WORDS,
    law="X1",
    means="It was counted.",
    cases=lambda run: [Case(run.tensors, "counted")],
)
BROKEN = Cause(code="X102", slug="breaks", **WORDS, law="X1", means="It breaks.", cases=lambda run: 1 // 0)
LEDGER = Ledger([TensorRow("model.weight", "model", "parameter", (2,), "float32", 8, 2)])


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    module = ModuleType("laws_of_mine")
    vars(module).update(NAMED=NAMED, BOTH=[NAMED, COUNTED], BROKEN=BROKEN, NOTHING=3)
    monkeypatch.setitem(sys.modules, "laws_of_mine", module)

    def plant(*names: str) -> None:
        points = [EntryPoint(name, f"laws_of_mine:{name}", own.GROUP) for name in names]
        monkeypatch.setattr(own, "entry_points", lambda group: points)
        own._named.cache_clear()

    yield plant
    own._named.cache_clear()


def found() -> list[Finding]:
    return [finding for finding in judge(LEDGER)[0] if finding.code.startswith("X")]


def test_without_entry_points_there_are_none() -> None:
    own._named.cache_clear()
    assert found() == []


def test_a_law_and_a_cause_find_what_they_say(entry_points: Callable[..., None]) -> None:
    entry_points("BOTH")
    assert [(each.code, each.rule, each.message, each.tensors) for each in found()] == [
        ("X1", "named-well", "model.weight is no name", ["model.weight"]),
        ("X101", "counted-twice", "counted", ["model.weight"]),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BROKEN", "X102 breaks: ZeroDivisionError"),
        ("MISSING", "MISSING (laws_of_mine:MISSING): AttributeError"),
        ("NOTHING", "NOTHING (laws_of_mine:NOTHING): TypeError: 3 is neither a Law nor a Cause"),
    ],
)
def test_one_that_fails_is_told_and_costs_no_other(name: str, said: str, entry_points: Callable[..., None]) -> None:
    entry_points(name, "NAMED")
    own_findings = found()
    assert [each.code for each in own_findings] == ["X1", "X000"]
    assert said in own_findings[1].message


def test_their_pages_and_names_are_printed(
    entry_points: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    entry_points("BOTH")
    for words, said in (
        (["rules"], "named-well"),
        (["explain", "x101"], "It was counted."),
        (["explain", "X1"], "A weight"),
    ):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert not left.value.code
        assert said in capsys.readouterr().out
