"""Findings as a JUnit test report, which every continuous integration service shows.

One test case says of each model that its columns agree; each finding is a test case of its own. Errors and warnings
fail, notes pass with their text, and what settings ignore is skipped.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from frostline.core.record import Finding, Record
from frostline.core.verdict import by_severity
from frostline.report.form import cited, visible

_TENSORS = 40
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(record: Record) -> str:
    """The record as one test suite."""
    suite = ET.Element("testsuite", name="frostline", time=f"{record.run.seconds:.3f}")
    for model in dict.fromkeys(row.model for row in record.tensors):
        if not any(finding.severity != "note" for finding in _of(model, record)):
            _case(suite, model, "the columns of every tensor agree")
    for finding in by_severity(record.findings):
        _finding(suite, finding)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("errors", "0")
    root = ET.Element("testsuites", name="frostline")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _of(model: str, record: Record) -> list[Finding]:
    names = {row.name for row in record.tensors if row.model == model}
    return [finding for finding in record.findings if finding.ignored is None and names & set(finding.tensors)]


def _case(suite: ET.Element, group: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_text(f"frostline.{group}"), name=_text(name))


def _finding(suite: ET.Element, finding: Finding) -> None:
    case = _case(suite, finding.rule, f"{finding.code}: {finding.message}")
    names = finding.tensors[:_TENSORS]
    more = [f"and {len(finding.tensors) - _TENSORS:,} more"] if len(finding.tensors) > _TENSORS else []
    evidence = [f"{key.replace('_', ' ')}: {value}" for key, value in finding.evidence.items()]
    lines = [*map(cited, finding.origins), ""] if finding.origins else []
    text = _text("\n".join([*map(visible, names), *more, "", *lines, *evidence, "", f"what to do: {finding.hint}"]))
    for origin in [each for each in finding.origins if each.is_below][:1]:
        case.set("file", _text(origin.file))
        case.set("line", str(origin.line))
    if finding.ignored is not None:
        ET.SubElement(case, "skipped", message=_text(finding.ignored))
    elif finding.severity == "note":
        ET.SubElement(case, "system-out").text = text
    else:
        failed = ET.SubElement(case, "failure", type=finding.severity, message=_text(finding.message))
        failed.text = text


def _text(text: str) -> str:
    """Without the characters that XML cannot hold at all."""
    return _NOT_XML.sub("\ufffd", text)
