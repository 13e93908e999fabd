"""All rules, and the one pass that turns a ledger into findings."""

from __future__ import annotations

from frostline.core.ledger import Ledger
from frostline.core.record import Finding
from frostline.core.verdict import by_severity
from frostline.rules import (
    copies,
    declared,
    expectations,
    frozen,
    labels,
    loads,
    optimizers,
    ranks,
    saved,
    summaries,
    traced,
    trainable,
)
from frostline.rules.frozen import rows as frozen_rows
from frostline.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *frozen.RULES,
    *frozen_rows.RULES,
    *trainable.RULES,
    *traced.RULES,
    *declared.RULES,
    *optimizers.RULES,
    *labels.RULES,
    *copies.RULES,
    *expectations.RULES,
    *saved.RULES,
    *loads.RULES,
    *summaries.RULES,
    *ranks.RULES,
)


def find(ledger: Ledger) -> list[Finding]:
    """Every finding of the run, causes before symptoms, the grave ones first.

    Args:
        ledger: what was seen; nothing else is consulted.
    """
    causes = [*frozen.find(ledger), *trainable.find(ledger), *optimizers.find(ledger), *declared.find(ledger)]
    findings = [
        *_without_symptoms(causes),
        *labels.find(ledger),
        *copies.find(ledger),
        *frozen_rows.find(ledger),
        *expectations.find(ledger, causes),
        *saved.find(ledger),
        *loads.find(ledger),
        *summaries.find(ledger),
    ]
    return by_severity(findings)


def _without_symptoms(findings: list[Finding]) -> list[Finding]:
    """Drop "trainable but unchanged" where an empty optimizer, a broken tie or a stray flag is the cause."""
    empty = {name for each in findings if each.rule == "optimizer-runs-empty" for name in each.tensors}
    untied = {name for each in findings if each.rule == "tie-broken" for name in each.tensors}
    stray = {name for each in findings if each.rule == "stray-flag-attribute" for name in each.tensors}
    kept = []
    for finding in findings:
        family = finding.code[0]
        names = set(finding.tensors)
        if family == "T" and names and (names <= empty or names <= untied):
            continue
        if finding.rule == "flag-flipped-during-run" and names and names <= stray:
            continue
        kept.append(finding)
    return kept
