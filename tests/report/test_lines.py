"""The lines that a finding points at, as other programs and editors read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from report_records import record, tensor_row
from sarif_rules import LOG

from frostline.cli import main
from frostline.core.record import Finding, FindingOrigin, Record
from frostline.core.storage.store import from_json, save, to_json
from frostline.report import render

FREEZES = FindingOrigin("frozen", "src/train.py", 18, "model.body.requires_grad_(False)", step=3)
MADE = FindingOrigin("optimizer", "src/train.py", 9, "optimizer = AdamW(…)", inside="Trainer.create_optimizer")
BOUND = FindingOrigin("written", "src/train.py", 31, until=("src/train.py", 40))
ELSEWHERE = FindingOrigin("loaded", "/home/me/lib.py", 7, "model.load_state_dict(state)")
ABOVE = FindingOrigin("frozen", "../train.py", 18, "model.body.requires_grad_(False)")
CELL = FindingOrigin("frozen", "<ipython-input-3>", 2, "body.trainable = False")
CELL_OF_A_FILE = FindingOrigin("frozen", "study.ipynb, cell 3", 2, "body.trainable = False")

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "vscode.md"


def located(*origins: FindingOrigin, severity: str = "error") -> Record:
    finding = Finding("a-rule", "F102", severity, ["model.w"], "it moved: 100% of it", {}, "do, so", origins=[*origins])  # type: ignore[arg-type]
    return record([tensor_row("model.w", 4)], findings=[finding])


def test_they_are_stored() -> None:
    assert from_json(to_json(located(FREEZES, BOUND))).findings[0].origins == [FREEZES, BOUND]


def test_sarif_has_the_region_of_the_first_and_the_others_beside_it() -> None:
    document = json.loads(render(located(FREEZES, MADE, BOUND, ELSEWHERE), "sarif"))
    assert [error.message for error in Draft202012Validator(LOG).iter_errors(document)] == []
    result = document["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("src/train.py", 18)
    assert place["region"]["snippet"] == {"text": FREEZES.source}
    others = [each["physicalLocation"] for each in result["relatedLocations"]]
    assert others[2]["region"] == {"startLine": 31, "endLine": 40}
    assert others[3]["artifactLocation"]["uri"] == "file:///home/me/lib.py"
    assert result["relatedLocations"][1]["message"]["text"].endswith("(in Trainer.create_optimizer)")


def test_sarif_points_at_the_script_where_no_line_stands_in_a_file() -> None:
    for origins in ((), (CELL,), (CELL_OF_A_FILE,)):
        result = json.loads(render(located(*origins), "sarif"))["runs"][0]["results"][0]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "train.py"
        assert "relatedLocations" not in result


@pytest.mark.parametrize(
    ("origin", "said"), [(FREEZES, ("src/train.py", "18")), (ELSEWHERE, (None, None)), (ABOVE, (None, None))]
)
def test_junit_has_file_and_line_of_what_is_below_the_folder(
    origin: FindingOrigin, said: tuple[str | None, ...]
) -> None:
    case = ET.fromstring(render(located(origin), "junit").encode()).find("testsuite/testcase")
    assert case is not None
    assert (case.get("file"), case.get("line")) == said
    assert origin.source in (case.findtext("failure") or "")


@pytest.mark.parametrize("form", ["text", "markdown", "junit", "github"])
def test_no_folder_of_the_machine_is_printed(form: str) -> None:
    said = render(located(ELSEWHERE, FREEZES), form, color=False)
    assert "lib.py:7" in said.replace("\\", "")
    assert "/home/me" not in said


@pytest.mark.parametrize(("severity", "level"), [("error", "error"), ("warning", "warning"), ("note", "notice")])
def test_an_annotation_for_a_workflow(severity: str, level: str) -> None:
    said = render(located(FREEZES, MADE, severity=severity), "github")
    assert said.startswith(f"::{level} file=src/train.py,line=18,title=F102 a-rule::it moved: 100%25 of it%0A")
    assert "%0Aoptimizer by src/train.py:9" in said
    assert "\n" not in said


def test_an_annotation_without_a_file_and_none() -> None:
    assert render(located(ELSEWHERE), "github").startswith("::error title=F102 a-rule::")
    assert render(record([]), "github") == "::notice title=frostline::no contradiction found"


def test_a_file_cannot_break_out_of_an_annotation() -> None:
    evil = FindingOrigin("frozen", "a,title=x::\n::stop-commands::y", 1)
    said = render(located(evil), "github")
    assert said.startswith("::error file=a%2Ctitle=x%3A%3A%0A%3A%3Astop-commands%3A%3Ay,line=1,title=")
    assert "\n" not in said


def test_the_problem_matcher_of_the_page_reads_annotations() -> None:
    tasks = json.loads((PAGE.read_text("utf-8").partition("```json")[2]).partition("```")[0])
    pattern = re.compile(tasks["tasks"][0]["problemMatcher"]["pattern"]["regexp"])
    found = pattern.match(render(located(FREEZES), "github"))
    assert found is not None
    assert found.groups()[:4] == ("error", "src/train.py", "18", "F102 a-rule")


@pytest.mark.parametrize(
    ("origins", "asked", "status", "said"),
    [
        ((FREEZES, MADE), "F102", 0, "src/train.py:18\n"),
        ((FREEZES, MADE), "a-rule", 0, "src/train.py:18\n"),
        ((ELSEWHERE,), "f102", 0, "/home/me/lib.py:7\n"),
        ((), "F102", 2, "F102 has no line"),
        ((FREEZES,), "F999", 2, "this run has no finding F999\nhint: it has F102"),
    ],
)
def test_where_an_editor_is_to_open(origins, asked: str, status: int, said: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    save(located(*origins), tmp_path / "run.json")
    monkeypatch.setattr("sys.argv", ["frostline", "report", "run.json", "--open-at", asked])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    assert said in "".join(capsys.readouterr())
