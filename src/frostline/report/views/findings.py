"""Findings as blocks: in a few lines each, or with all their evidence."""

from __future__ import annotations

from collections.abc import Sequence

from frostline.core.record import Excused, Finding, FindingOrigin
from frostline.report.folding import Names
from frostline.report.form import Block, Facts, Line, Prose, Section, Span, line, shortened, worded
from frostline.report.phrases import NAME, evidence_name, joined, many, named

SHORT = 6  # findings that a short report shows; of more it says how many
_PATTERNS = 4
_ITEMS = 3
_TEXT = 1200
_HEIGHT = 8  # lines of a short finding
_MESSAGE_LINES = 3
_LINES = 2  # of the script
_MESSAGE = 220  # characters of the short form: three lines of 80 columns, and two of the fix
_FIX = 134

Row = tuple[Span, Line]


def in_short(findings: Sequence[Finding], names: Names) -> list[Block]:
    """Each finding in at most eight lines: the fact, which tensors, and what to do."""
    blocks: list[Block] = [_short(finding, names) for finding in findings[:SHORT]]
    if len(findings) > SHORT:
        left = findings[SHORT:]
        codes = ", ".join(dict.fromkeys(finding.code for finding in left))
        blocks.append(Prose(line(Span(f"and {many(len(left), 'more finding')}: {codes}", "dim"))))
    return blocks


def _short(finding: Finding, names: Names) -> Facts:
    rows: list[Row] = []
    if finding.tensors:
        rows.append((Span("tensors", "label"), described(finding.tensors, names, patterns=2)))
    rows += [(Span(origin.role, "label"), origin_line(origin)) for origin in finding.origins[:_LINES]]
    heights = [_MESSAGE_LINES, *(1 for _ in rows)]
    if finding.hint:
        rows.append((Span("fix", "label"), line(Span(_ended(finding.hint, _FIX), "hint"))))
    return Facts(tuple(rows), _head(finding, _ended(finding.message, _MESSAGE)), tuple(heights), _HEIGHT)


def in_full(findings: Sequence[Finding], names: Names) -> Section:
    """Each finding with the evidence that it was concluded from."""
    title = Span("Findings", "title")
    if not findings:
        return Section(title, (Prose(line(Span("none", "dim"))),))
    return Section(title, tuple(_full(finding, names) for finding in findings))


def _full(finding: Finding, names: Names) -> Facts:
    rows: list[Row] = [(Span(evidence_name(key), "dim"), _value(value)) for key, value in finding.evidence.items()]
    if finding.tensors:
        rows.append((Span("tensors", "label"), described(finding.tensors, names)))
    rows.extend((Span(origin.role, "label"), origin_line(origin)) for origin in finding.origins)
    if finding.hint:
        rows.append((Span("fix", "label"), line(Span(shortened(finding.hint, _TEXT), "hint"))))
    rows.append((Span("why", "label"), line(Span(f"frostline explain {finding.code}", "command"))))
    return Facts(tuple(rows), _head(finding, shortened(finding.message, _TEXT)))


def origin_line(origin: FindingOrigin) -> Line:
    """The line of the script, as it stands there, and the package that it went through."""
    inside = f" (in {origin.inside})" if origin.inside else ""
    source = f"  {shortened(origin.source, NAME)}" if origin.source and origin.until is None else ""
    return line("by " if origin.until is None else "", Span(origin.text, "name"), source, Span(inside, "dim"))


def _head(finding: Finding, message: str) -> Line:
    return line(Span(f"{finding.severity}: {finding.code} {finding.rule}:", finding.severity), f" {message}")


def ignored(findings: Sequence[Finding], names: Names) -> Section | None:
    """What the user's settings set aside: the fact, where, and the reason they gave."""
    if not findings:
        return None
    blocks = []
    for finding in findings:
        head = line(Span(f"{finding.code} {finding.rule}:", "dim"), f" {shortened(finding.message, _TEXT)}")
        rows = [(Span("tensors", "label"), described(finding.tensors, names))] if finding.tensors else []
        rows.append((Span("ignored", "label"), line(shortened(finding.ignored or "", _TEXT))))
        blocks.append(Facts(tuple(rows), head))
    return Section(Span("Ignored by the settings, not counted", "title"), tuple(blocks))


def excused(excused: Sequence[Excused], names: Names) -> Section | None:
    """What breaks a law by its bits and is excused, each excuse with what proves it of the first tensor."""
    groups: dict[tuple[str, str], list[Excused]] = {}
    for each in excused:
        groups.setdefault((each.law, each.excuse), []).append(each)
    rows = tuple(
        (
            Span(f"{law} {excuse}", "label"),
            (*described([each.tensor for each in group], names), Span(f"; {shortened(group[0].proof, _TEXT)}")),
        )
        for (law, excuse), group in groups.items()
    )
    return Section(Span("Excused by proof", "title"), (Facts(rows),)) if rows else None


def _value(value: str | int | float | bool | list[str] | None) -> Line:
    """One piece of evidence as a person writes it."""
    match value:
        case None:
            return line(Span("not known", "unknown"))
        case bool() | int() | float() | str():
            return line(shortened(worded(value), _TEXT))
        case _:
            more = f", and {len(value) - _ITEMS:,} more" if len(value) > _ITEMS else ""
            return (*joined([named(item) for item in value[:_ITEMS]]), *line(more)) if value else line("none")


def described(tensors: Sequence[str], names: Names, patterns: int = _PATTERNS) -> Line:
    """How many, the first patterns, and how many tensors those leave out."""
    found = names.patterns(tensors)
    shown = found if len(found) <= patterns else found[: patterns - 1]
    left = sum(pattern.tensors for pattern in found[len(shown) :])
    more = line(f" and {left:,} more") if left else ()
    count = names.describe(list(dict.fromkeys(tensors)))
    return (*line(f"{count}: "), *joined([named(pattern.text) for pattern in shown]), *more)


def _ended(text: str, limit: int) -> str:
    """``text`` without what is beyond ``limit`` characters, cut between clauses or else between words.

    >>> _ended("put it in eval mode, or use another", 24), _ended("put it in eval mode; or use another", 24)
    ('put it in eval mode, …', 'put it in eval mode')
    """
    if len(text) <= limit:
        return text
    clauses = text[:limit].rpartition("; ")[0]
    return clauses or f"{text[: limit - 1].rpartition(' ')[0] or text[: limit - 1]} …"
