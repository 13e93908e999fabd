"""What the user decided about findings: other severities, ignored rules with reasons, and what is known already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from frostline.core.ledger import TensorRow
from frostline.core.names.patterns import matches
from frostline.core.record import SEVERITIES, BaselineUse, Finding, Known, Severity
from frostline.core.verdict import by_severity


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings that are counted apart: those of one rule (code or name), all of whose tensors match, for a reason."""

    rule: str
    reason: str
    tensors: tuple[str, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is of this rule and every tensor of it matches one of the patterns."""
        if self.rule.lower() not in (finding.code.lower(), finding.rule):
            return False
        return not self.tensors or (bool(finding.tensors) and _all_match(finding.tensors, self.tensors))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings of an old project that are known already, from the file ``source``."""

    source: str
    known: tuple[Known, ...] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """Another severity for one rule, whose findings are usually of severity ``usual``."""

    usual: Severity
    wanted: Severity

    def of(self, severity: Severity) -> Severity:
        """What a finding of ``severity`` becomes; one that the run itself made milder is never made graver.

        >>> Override("error", "warning").of("error"), Override("error", "warning").of("note")
        ('warning', 'note')
        """
        if severity == self.usual:
            return self.wanted
        return max(severity, self.wanted, key=SEVERITIES.index)


@dataclass(frozen=True, slots=True)
class Policy:
    """Ignored rules, severities by rule name, the baseline, and the files in which a project has laws of its own."""

    ignore: tuple[Ignore, ...] = ()
    severity: Mapping[str, Override] = field(default_factory=dict)
    baseline: Baseline | None = None
    laws: tuple[Path, ...] = ()


def settle(findings: Iterable[Finding], rows: Sequence[TensorRow], policy: Policy) -> list[Finding]:
    """The findings as the policy wants them, the grave ones first; those that it sets aside carry the reason.

    Findings that another policy has settled before are taken as the rules gave them.
    """
    models = {row.name: row.model for row in rows}
    return by_severity(_settled(finding, models, policy) for finding in findings)


def use_of(baseline: Baseline, findings: Sequence[Finding], rows: Sequence[TensorRow]) -> BaselineUse:
    """What came of the baseline: how many findings it knew, and which of its own are found no longer."""
    models = {row.name: row.model for row in rows}
    now = [known(finding, models) for finding in findings]
    resolved = [old for old in baseline.known if not any(_is_same(old, new) for new in now)]
    count = sum(_is_known(finding, models, baseline) for finding in findings)
    return BaselineUse(baseline.source, count, resolved, baseline.missing)


def known(finding: Finding, models: Mapping[str, str]) -> Known:
    """What identifies a finding from run to run: its rule, and its tensors without the model's own name.

    A finding without tensors is known by its message, of which the numbers do not count.
    """
    names = [name.removeprefix(f"{models.get(name, '')}.") for name in finding.tensors]
    subject = "" if names else re.sub(r"\d[\d,.]*", "#", finding.message)
    return Known(finding.rule, finding.usual or finding.severity, sorted(dict.fromkeys(names)), subject)


def _settled(finding: Finding, models: Mapping[str, str], policy: Policy) -> Finding:
    finding = replace(finding, severity=finding.usual or finding.severity, usual=None, ignored=None)
    reason = next((each.reason for each in policy.ignore if each.covers(finding)), None)
    if reason is None and policy.baseline is not None and _is_known(finding, models, policy.baseline):
        reason = f"known: it is in {policy.baseline.source}"
    override = policy.severity.get(finding.rule)
    severity = override.of(finding.severity) if override else finding.severity
    usual = finding.severity if severity != finding.severity else None
    return replace(finding, severity=severity, usual=usual, ignored=reason)


def _is_known(finding: Finding, models: Mapping[str, str], baseline: Baseline) -> bool:
    """Whether entries of the finding's rule, of its severity or graver, name all of its tensors."""
    new = known(finding, models)
    same = [
        old
        for old in baseline.known
        if old.rule == new.rule and SEVERITIES.index(old.severity) <= SEVERITIES.index(new.severity)
    ]
    if not new.tensors:
        return any(not old.tensors and old.subject == new.subject for old in same)
    return _all_match(new.tensors, [pattern for old in same for pattern in old.tensors])


def _is_same(old: Known, new: Known) -> bool:
    """Whether an entry of the baseline is, at least in part, still there."""
    if old.rule != new.rule:
        return False
    return _any_match(new.tensors, old.tensors) if old.tensors else old.subject == new.subject


def _all_match(names: Sequence[str], patterns: Sequence[str]) -> bool:
    exact = set(patterns)
    return all(name in exact or any(matches(pattern, name) for pattern in patterns) for name in names)


def _any_match(names: Sequence[str], patterns: Sequence[str]) -> bool:
    wild = [pattern for pattern in patterns if "*" in pattern or "?" in pattern]
    return not set(patterns).isdisjoint(names) or any(matches(pattern, name) for pattern in wild for name in names)
