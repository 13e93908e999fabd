"""Findings as workflow commands of GitHub Actions, which are shown beside the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from frostline.core.record import SEVERITIES, Finding, Record
from frostline.core.verdict import by_severity
from frostline.report.form import cited, visible

LEVELS = dict(zip(SEVERITIES, ("error", "warning", "notice"), strict=True))


def render(record: Record) -> str:
    """A line for each finding that the settings do not ignore, the grave ones first, and one for the verdict without.

    Args:
        record: what was seen and judged.
    """
    findings = [finding for finding in by_severity(record.findings) if finding.ignored is None]
    return "\n".join(map(_annotation, findings)) or "::notice title=frostline::no contradiction found"


def _annotation(finding: Finding) -> str:
    title = f"title={_property(f'{finding.code} {finding.rule}')}"
    first = next((origin for origin in finding.origins if origin.until is None), None)
    place = f"file={_property(first.file)},line={first.line}," if first is not None and first.is_below else ""
    message = "\n".join([finding.message, *map(cited, finding.origins), f"fix: {finding.hint}"])
    return f"::{LEVELS[finding.severity]} {place}{title}::{_data(message)}"


def _data(text: str) -> str:
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
