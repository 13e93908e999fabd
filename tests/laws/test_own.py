"""Laws and causes of a project's own: found by entry points, judged beside frostline's, and never in their way."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from frostline.cli import main
from frostline.cli.printing import Wanted, rendered
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Finding
from frostline.judging import judged
from frostline.laws import judge, own
from frostline.laws.causes.cause import Case, Cause
from frostline.laws.law import Law, Violation
from frostline.settings import Settings, load

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
    assert [each.code for each in own.own()] == [*(["X102"] if name == "BROKEN" else []), "X1"]


IN_A_FILE = """
from frostline.laws.causes.cause import Case, Cause

COUNTED = Cause(
    code="X7", slug="counted-here", severity="warning", matters="It matters.", remedy="mend it", law="L1",
    means="It was counted.", cases=lambda run: [Case(run.tensors, f"{len(run.tensors)} counted here")],
)
"""


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert not left.value.code
    return capsys.readouterr().out


def test_a_file_that_the_settings_name_brings_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "ours.py").write_text(IN_A_FILE, "utf-8")
    settings = '[tool.frostline]\nlaws = ["tools/ours.py"]\nseverity = { X7 = "note" }\n'
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    monkeypatch.chdir(tmp_path)
    record = judged(LEDGER, load().policy())
    found = record.findings
    assert [(each.code, each.severity, each.message) for each in found if each.code == "X7"] == [
        ("X7", "note", "1 counted here")
    ]
    assert "counted-here" in printed(capsys, "rules")
    assert "It was counted." in printed(capsys, "explain", "X7")
    assert "It matters." in rendered(record, Wanted("html"), None, load())  # the page says why it matters
    assert "It matters." not in rendered(record, Wanted("html"), None, Settings())


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 // 0", "ZeroDivisionError"), ("COUNTED = 3", "it defines neither a Law nor a Cause"), (None, "No such file")],
)
def test_a_file_without_any_is_told(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "ours.py").write_text(text, "utf-8")
    (failed,) = (each for each in judge(LEDGER, (tmp_path / "ours.py",))[0] if each.code == "X000")
    assert said in failed.message


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
