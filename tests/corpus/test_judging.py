"""A judgement must be able to go wrong in every way that it names."""

import dataclasses
import re
from pathlib import Path

import pytest
from corpus.cases import Case, Trial
from corpus.judging import Gap, gaps, judge, unexplained
from corpus.running import Outcome
from corpus.table import markdown

from corpus import blind
from frostline.core import verdict
from frostline.core.record import Finding, Record
from frostline.core.run import Run
from frostline.core.storage.store import FORMAT

CASE = Case("bugs/torch/one", "bug", None, rules=("no-gradient",), tensors=("head.weight",), seen_by=4)


def finding(rule="no-gradient", severity="error", tensors=("model.head.weight",), **evidence):
    return Finding(rule, "T000", severity, list(tensors), "", evidence, "")


def judged(*findings, role="bug", case=CASE):
    record = Record(FORMAT, "0", Run(), [], [], verdict.totals([]), list(findings), verdict.judge(findings, []))
    return judge(Outcome(Trial(case, role, None), record, ""))


def test_right():
    assert judged(finding()).good


def test_another_cause():
    assert judged(finding("zero-gradient")).word == "other"


def test_missed():
    assert judged().word == "missed"
    assert judged(finding(severity="note")).word == "missed"


def test_the_right_rule_for_another_tensor_is_not_right():
    assert judged(finding(tensors=["model.body.weight"])).word == "other"


def test_a_note_counts_where_a_note_is_expected():
    assert judged(finding(severity="note"), case=dataclasses.replace(CASE, severity="note")).good


def test_an_unexplained_second_finding_is_an_alarm():
    judgement = judged(finding(), finding("zero-gradient"))
    assert judgement.word == "right"
    assert judgement.alarms == ("zero-gradient",)
    assert not judgement.good
    assert judged(finding(), finding("zero-gradient", "note")).good


def test_a_consequence_is_no_alarm():
    assert judged(finding(), finding("zero-gradient"), case=dataclasses.replace(CASE, also=("zero-gradient",))).good


@pytest.mark.parametrize(
    ("evidence", "late"),
    [({"interval": "after step 2 to step 4"}, False), ({"interval": "after step 4 to step 8"}, True), ({}, False)],
)
def test_seen_late(evidence, late):
    assert judged(finding(**evidence)).late is late


@pytest.mark.parametrize("role", ["fixed", "clean"])
def test_nothing_may_be_found_in_a_healthy_program(role):
    assert judged(role=role).good
    assert judged(finding(severity="note"), role=role).good
    assert judged(finding(severity="warning"), role=role).word == "alarm"


def test_no_record_is_a_failure():
    assert judge(Outcome(Trial(CASE, "bug", None), None, "", "exit status 2")).word == "failed"


def test_known_gaps_are_strict_in_both_directions():
    good, bad = judged(finding()), judged()
    name = good.trial.name
    known = {name: Gap(name, "missed", "for a reason")}
    assert unexplained([good], {}, [name]) == []
    assert unexplained([bad], known, [name]) == []
    assert "missed" in unexplained([bad], {}, [name])[0]
    assert "remove the gap" in unexplained([good], known, [name])[0]
    assert "known as missed" in unexplained([judged(finding("zero-gradient"))], known, [name])[0]
    assert "names no trial" in unexplained([], known, [])[0]


def test_a_gap_needs_a_reason(tmp_path):
    path = tmp_path / "gaps.toml"
    path.write_text('["bugs/torch/one"]\nword = "missed"\nreason = " "\n')
    with pytest.raises(ValueError, match="no reason"):
        gaps(path)


FRAMEWORKS = (
    ("torch", "frostline, PyTorch"),
    ("keras", "frostline, Keras on each backend"),
    ("tf_keras", "frostline, tf_keras"),
    ("jax", "frostline, JAX"),
)


def test_the_readme_and_the_page_of_the_corpus_say_the_same() -> None:
    root = Path(__file__).parents[2]
    page, readme = ((root / name).read_text("utf-8") for name in ("docs/corpus.md", "README.md"))
    table = readme.partition("<!-- corpus -->")[2].partition("<!-- end -->")[0]
    for framework, row in FRAMEWORKS:
        line = re.search(rf"^\| {framework} \| (.*) \|$", page, re.M)
        assert line
        right, other, missed, twins, healthy, alarms, failed, _ = map(int, line[1].split(" | "))
        told = f"{right} of {right + other + missed} | {missed} | {alarms} of {twins + healthy} healthy programs"
        assert (f"| {row} | {told} |" in table, failed) == (True, 0)
    for tool in ("torchtest2", "pytest-torch", "torcheck"):
        line = re.search(rf"^\| {tool} [\d.]+ \| [^|]+ \| (.*) \|$", page, re.M)
        assert line
        _, _, missed, _, quiet, alarms, _ = map(int, line[1].split(" | "))
        assert f"| names no cause | {missed} | {alarms} of {quiet + alarms} |" in table


def test_the_readme_and_the_page_publish_what_was_measured_blind() -> None:
    root = Path(__file__).parents[2]
    page, readme = ((root / name).read_text("utf-8") for name in ("docs/corpus.md", "README.md"))
    assert "\n".join(blind.markdown()) in page
    table = readme.partition("<!-- blind -->")[2].partition("<!-- end -->")[0]
    for row in blind.measured():
        counts = f"{row['right']} of {row['tried']} | {row['seen']} | {row['missed']}"
        assert f"| {row['of']} | {counts} | {row['alarms']} of {row['healthy']} |" in table


def test_a_measurement_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "blind.toml"
    wrong.write_text(blind.MEASURED.read_text("utf-8").replace("missed = 14", "missed = 4"), "utf-8")
    with pytest.raises(ValueError, match="do not add up to 25"):
        blind.measured(wrong)


def test_lines_of_programs_that_were_not_run_are_kept_once() -> None:
    page = (Path(__file__).parents[2] / "docs" / "corpus.md").read_text("utf-8")
    assert markdown([], gaps(), page) == page
