"""What findings add up to: the one place that decides the verdict line and the exit status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from frostline.core.ledger import TensorRow
from frostline.core.record import SEVERITIES, Finding, Record, Severity, Totals, Verdict
from frostline.core.run import Run

FAIL_ON = ("error", "warning", "never")
_GRAVE: dict[str, tuple[Severity, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


def judge(findings: Iterable[Finding], rows: Iterable[TensorRow], run: Run | None = None) -> Verdict:
    """Count findings by severity, ignored ones apart, and tensors with a column that could not be established.

    The ``run`` says of which processes not enough is known.
    """
    verdict = Verdict(unknown=sum(1 for row in rows if row.unknown or row.changed.verdict == "unknown"))
    if run is not None:
        verdict.missing = len(run.missing)
        verdict.uncompared = 0 if run.rank is None else (run.world_size or 1) - 1
    for finding in findings:
        if finding.ignored is not None:
            verdict.ignored += 1
            continue
        match finding.severity:
            case "error":
                verdict.errors += 1
            case "warning":
                verdict.warnings += 1
            case "note":
                verdict.notes += 1
    return verdict


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; within a severity the order given, which puts the cause before the symptom."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def failing(findings: Iterable[Finding], fail_on: str) -> list[Finding]:
    """The findings that make a run fail: at or above ``fail_on`` and not ignored."""
    return [finding for finding in findings if finding.ignored is None and finding.severity in _GRAVE[fail_on]]


def exit_status(verdict: Verdict, fail_on: str) -> int:
    """1 when something at or above ``fail_on`` was found, 2 when too little is known of some processes, or 0.

    >>> exit_status(Verdict(warnings=1), "error"), exit_status(Verdict(warnings=1), "warning")
    (0, 1)
    >>> exit_status(Verdict(missing=1), "error"), exit_status(Verdict(missing=1), "never")
    (2, 0)
    """
    counts = {"error": verdict.errors, "warning": verdict.warnings, "note": verdict.notes}
    if any(counts[severity] for severity in _GRAVE[fail_on]):
        return 1
    return 2 if verdict.missing and fail_on != "never" else 0


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The first of the gravest findings; None where nothing was found that is not ignored."""
    return next(iter(by_severity(each for each in findings if each.ignored is None)), None)


def headline(record: Record) -> str:
    """The verdict as one line that says what the worst finding is, before how many there are."""
    found = worst(record.findings)
    return sentence(record.verdict, "" if found is None or found.severity == "note" else _in_words(found))


def _in_words(finding: Finding) -> str:
    """A cause is told by its name; a law, which says what holds, by what its finding says broke it."""
    if re.fullmatch(r"L\d+", finding.code):
        return finding.message.partition(" (")[0]
    return finding.rule.replace("-", " ")


def sentence(verdict: Verdict, said: str = "") -> str:
    """The verdict as one line, with what is ``said`` of it; it is not about tensors of which nothing is known.

    >>> sentence(Verdict(errors=1, notes=2, unknown=3))
    '1 error, 0 warnings, 2 notes; 3 tensors unknown'
    >>> sentence(Verdict(errors=1), "optimizer runs empty")
    'optimizer runs empty (1 error, 0 warnings, 0 notes)'
    """
    counts = (
        _count(verdict.errors, "error"),
        _count(verdict.warnings, "warning"),
        _count(verdict.notes, "note"),
    )
    line = ", ".join(counts)
    if verdict.missing:
        processes = _count(verdict.missing, "process", "processes")
        line = f"{said}{'; ' * bool(said)}{processes} missing or cut short, so this is no verdict ({line})"
    elif said:
        line = f"{said} ({line})"
    elif not (verdict.errors or verdict.warnings or verdict.ignored):
        where = " in this rank" if verdict.uncompared else ""
        line = f"no contradiction found{where}{' in what is known' if verdict.unknown else ''} ({line})"
    if verdict.uncompared:
        line += f"; not compared with {_count(verdict.uncompared, 'other rank')}"
    if verdict.ignored:
        line += f"; {verdict.ignored} ignored"
    if verdict.unknown:
        line += f"; {_count(verdict.unknown, 'tensor')} unknown"
    return line


def totals(rows: Sequence[TensorRow]) -> Totals:
    """Counts of parameters per column; buffers and random state are counted apart from parameters."""
    total = Totals(tensors=len(rows))
    for row in rows:
        if row.kind == "buffer":
            total.buffers += row.size
            continue
        total.parameters += row.size
        if row.declared.trainable:
            total.declared_trainable += row.size
        elif row.declared.trainable is not None:
            total.declared_frozen += row.size
        if any(holding.listed for holding in row.optimizers):
            total.in_optimizer += row.size
        match row.changed.verdict:
            case "yes":
                total.changed += row.size
            case "no":
                total.unchanged += row.size
            case _:
                total.unknown += row.size
    return total


def _count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
