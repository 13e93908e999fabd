"""Findings as cards, and the verdict as the sentence above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from frostline.core.record import Finding, Record, Severity
from frostline.core.verdict import by_severity, sentence
from frostline.report.folding import Names
from frostline.report.form import cited, visible, worded
from frostline.report.phrases import evidence_name

_PATTERNS = 6


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: one sentence, its tone, and the counted line that ends every report."""

    sentence: str
    tone: str
    counted: str


@dataclass(frozen=True, slots=True)
class Card:
    """One finding, ready to be shown; ``anchor`` is the deep link's target."""

    anchor: str
    severity: Severity
    code: str
    slug: str
    message: str
    described: str
    tensors: tuple[str, ...]
    lines: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    hint: str
    why: tuple[str, ...]
    ignored: str | None


def verdict(record: Record) -> Headline:
    """What a tired reader needs first."""
    counted = sentence(record.verdict)
    heard = [finding for finding in record.findings if finding.ignored is None]
    for severity, words in (("error", "The run contradicts itself"), ("warning", "Nothing moved wrongly yet, but")):
        found = [finding for finding in heard if finding.severity == severity]
        if found:
            first = visible(found[0].message)
            rest = f" And {len(found) - 1} more." if len(found) > 1 else ""
            return Headline(f"{words}: {first}.{rest}", severity, counted)
    if not record.run.steps:
        return Headline("No step was seen, so nothing can be said about what was trained.", "unknown", counted)
    total = record.totals
    unknown = f", of {total.unknown:,} it is not known" if total.unknown else ""
    moved = f"{total.changed:,} parameters changed, {total.unchanged:,} did not change{unknown}"
    return Headline(f"No contradiction: {moved}.", "note" if heard else "good", counted)


def of(record: Record, why: Mapping[str, str]) -> list[Card]:
    """A card for each finding: the grave ones first, those that settings set aside last; ``why`` it matters by code."""
    names = Names(record.tensors)
    ordered = sorted(by_severity(record.findings), key=lambda finding: finding.ignored is not None)
    seen: Counter[str] = Counter()
    cards = []
    for finding in ordered:
        seen[finding.code] += 1
        cards.append(_card(finding, f"{finding.code}-{seen[finding.code]}", names, why.get(finding.code, "")))
    return cards


def codes(cards: Iterable[Card]) -> dict[str, list[tuple[str, str]]]:
    """The anchors of the findings that name each tensor, with their severities; ignored ones count as notes."""
    found: dict[str, list[tuple[str, str]]] = {}
    for card in cards:
        severity = "note" if card.ignored is not None else card.severity
        for name in card.tensors:
            found.setdefault(name, []).append((card.anchor, severity))
    return found


def _card(finding: Finding, anchor: str, names: Names, why: str) -> Card:
    patterns = [pattern.text for pattern in names.patterns(finding.tensors)]
    described = f"{names.describe(finding.tensors)}: {', '.join(patterns[:_PATTERNS])}" if finding.tensors else ""
    return Card(
        anchor,
        finding.severity,
        finding.code,
        finding.rule,
        visible(finding.message),
        visible(described + (f" and {len(patterns) - _PATTERNS:,} more" if len(patterns) > _PATTERNS else "")),
        tuple(finding.tensors),
        tuple(map(cited, finding.origins)),
        tuple((evidence_name(key), visible(_value(value))) for key, value in finding.evidence.items()),
        visible(finding.hint),
        tuple(visible(" ".join(paragraph.split())) for paragraph in why.split("\n\n") if paragraph.strip()),
        None if finding.ignored is None else visible(finding.ignored),
    )


def _value(value: str | int | float | bool | list[str] | None) -> str:
    match value:
        case None:
            return "not known"
        case bool() | int() | float() | str():
            return worded(value)
        case _:
            return ", ".join(value) or "none"
