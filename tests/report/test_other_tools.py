"""What other programs read: SARIF for code hosts, JUnit for continuous integration."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from report_records import adapters, article, record, tensor_row
from sarif_rules import LOG

from frostline.core.record import Finding, Record
from frostline.report import render

LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def hostile() -> Record:
    name = 'model.]]><evil a="1">\x1b[31m\x00.weight'
    finding = Finding(
        "nothing-trained", "T208", "error", [name], f"{name} moved & more", {"n": float("nan")}, "look <here>"
    )
    return record([tensor_row(name, 4)], findings=[finding])


def strictly(text: str) -> dict:
    """The document, read as strict readers do: NaN and infinities are no JSON."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("made", [article, adapters, hostile])
def test_sarif_follows_the_standard(made) -> None:
    said = made()
    said.findings = [*said.findings, *(replace(each, ignored="known") for each in said.findings)]
    document = strictly(render(said, "sarif"))
    check = Draft202012Validator(LOG, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in check.iter_errors(document)] == []


def test_sarif_links_to_the_pages_of_rules_where_it_is_told_where_they_are() -> None:
    told = strictly(render(adapters(), "sarif", pages="https://example.org/frostline/"))
    assert Draft202012Validator(LOG).is_valid(told)
    rules = told["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["helpUri"] for rule in rules] == list(
        dict.fromkeys(f"https://example.org/frostline/rules/{each.rule}/" for each in adapters().findings)
    )
    assert "helpUri" not in render(adapters(), "sarif")


@pytest.mark.parametrize(
    ("part", "value"), [("level", "fatal"), ("message", {}), ("ruleIndex", "0"), ("severity", "error")]
)
def test_the_standards_rules_can_fail(part: str, value: object) -> None:
    document = strictly(render(adapters(), "sarif"))
    document["runs"][0]["results"][0][part] = value
    assert not Draft202012Validator(LOG).is_valid(document)


@pytest.mark.parametrize("made", [article, adapters, hostile])
def test_sarif_has_a_result_for_each_finding(made) -> None:
    said = made()
    document = json.loads(render(said, "sarif"))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == [LEVELS[each.severity] for each in said.findings]
    for result, finding in zip(run["results"], said.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "train.py"
        named = [each["fullyQualifiedName"] for each in location.get("logicalLocations", [])]
        assert len(named) == len(finding.tensors)
        assert all(text.isprintable() for text in named)


def test_sarif_says_what_was_ignored_and_why() -> None:
    said = adapters()
    said.findings[0] = replace(said.findings[0], ignored="the teacher is meant to move")
    result = json.loads(render(said, "sarif"))["runs"][0]["results"][0]
    assert result["suppressions"] == [{"kind": "external", "justification": "the teacher is meant to move"}]


def test_a_module_is_no_file_in_sarif() -> None:
    said = adapters()
    said.run.command = ["-m", "project.train"]
    locations = json.loads(render(said, "sarif"))["runs"][0]["results"][0]["locations"]
    assert all("physicalLocation" not in location for location in locations)


@pytest.mark.parametrize("made", [article, adapters, hostile])
def test_junit_fails_where_there_is_an_error_or_a_warning(made) -> None:
    said = made()
    suite = ET.fromstring(render(said, "junit").encode()).find("testsuite")
    assert suite is not None
    loud = [finding for finding in said.findings if finding.severity != "note"]
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == len(loud)
    assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
    assert len(suite.findall("testcase")) >= len(said.findings)
    for case, finding in zip(suite.findall("testcase/failure"), loud, strict=True):
        assert finding.hint in (case.text or "")


def test_junit_skips_what_is_ignored() -> None:
    said = adapters()
    said.findings = [replace(finding, ignored="known") for finding in said.findings]
    suite = ET.fromstring(render(said, "junit").encode()).find("testsuite")
    assert suite is not None
    assert len(suite.findall("testcase/skipped")) == len(said.findings)
    assert suite.get("failures") == "0"
