"""Findings as SARIF 2.1.0, the format that code hosts show beside the lines of a pull request.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from frostline.core.record import Finding, FindingOrigin, Record
from frostline.report.form import cited, finite, visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_TENSORS = 1000  # logical locations of one result


def render(record: Record, pages: str | None = None) -> str:
    """One run with a result for each finding, at the script that was run; what settings ignore is suppressed.

    Args:
        record: what was seen and judged.
        pages: address at which the pages of the rules are served; rules have no ``helpUri`` without it.
    """
    rules = {finding.rule: finding for finding in record.findings}
    order = list(rules)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "frostline",
                "version": record.frostline,
                "rules": [_rule(finding, pages) for finding in rules.values()],
            }
        },
        "invocations": [{"executionSuccessful": not record.run.exit, "commandLine": " ".join(record.run.command)}],
        "results": [_result(finding, order.index(finding.rule), record) for finding in record.findings],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [finite(run)]}, indent=2)


def _rule(finding: Finding, pages: str | None) -> dict[str, Any]:
    link = {"helpUri": f"{pages.rstrip('/')}/rules/{finding.rule}/"} if pages else {}
    return link | {
        "id": finding.code,
        "name": "".join(part.capitalize() for part in finding.rule.split("-")),
        "shortDescription": {"text": finding.rule.replace("-", " ")},
        "help": {"text": f"{finding.hint}\n\nSee: frostline explain {finding.code}"},
        "defaultConfiguration": {"level": finding.severity},
    }


def _result(finding: Finding, index: int, record: Record) -> dict[str, Any]:
    location: dict[str, Any] = {}
    script, places = _script(record), [place for origin in finding.origins if (place := _place(origin)) is not None]
    if places:
        location["physicalLocation"] = places[0]["physicalLocation"]
    elif script is not None:
        location["physicalLocation"] = {"artifactLocation": {"uri": script}, "region": {"startLine": 1}}
    if finding.tensors:
        location["logicalLocations"] = [
            {"fullyQualifiedName": name, "kind": "member"}
            for name in dict.fromkeys(map(visible, finding.tensors[:_TENSORS]))
        ]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,  # the three words are SARIF's too
        "message": {"text": f"{visible(finding.message)}. What to do: {visible(finding.hint)}"},
        "locations": [location] if location else [],
        "partialFingerprints": {"findingAndLeaves/v1": f"{finding.rule}:{','.join(sorted(finding.tensors)[:8])}"},
        "properties": {"evidence": finding.evidence, "tensors": len(finding.tensors)},
    }
    if places:
        result["relatedLocations"] = [{"id": number, **place} for number, place in enumerate(places, 1)]
    if finding.ignored is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result


def _place(origin: FindingOrigin) -> dict[str, Any] | None:
    """A line of the script, or the span between two lines of one file; None where it stands in no file that is left."""
    if not origin.is_in_file:
        return None
    region: dict[str, Any] = {"startLine": origin.line}
    if origin.until is None and origin.source:
        region["snippet"] = {"text": origin.source}
    elif origin.until is not None and origin.until[0] == origin.file:
        region = {"startLine": min(origin.line, origin.until[1]), "endLine": max(origin.line, origin.until[1])}
    uri = PurePath(origin.file).as_uri() if os.path.isabs(origin.file) else quote(origin.file)
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": region},
        "message": {"text": cited(origin)},
    }


def _script(record: Record) -> str | None:
    """The script as a relative address, which is what code hosts can resolve; None for a module or an unknown one."""
    command = record.run.command
    if not command or command[0] == "-m":
        return None
    return quote(PurePath(command[0]).as_posix().removeprefix("./"))
