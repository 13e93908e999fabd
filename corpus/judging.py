"""Compares what frostline said with what a case expects, and the result with the known gaps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from corpus.cases import HERE, Trial
from corpus.running import Outcome
from frostline.core.names.patterns import matches
from frostline.core.record import SEVERITIES, Finding

GAPS = HERE / "known_gaps.toml"

Word = Literal["right", "other", "missed", "quiet", "alarm", "failed"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One trial's result.

    Args:
        word: right or another cause or missed for a bug; quiet or alarm where nothing may be found; failed
            where there is no record.
        seen: the executed step by which it was seen; None for a state that has no moment.
        late: it was seen later than the case allows.
        alarms: errors and warnings that the case does not explain.
        found: slugs of all findings, notes included.
    """

    trial: Trial
    word: Word
    seen: int | None = None
    late: bool = False
    alarms: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing about it needs an explanation."""
        return self.word in ("right", "quiet") and not self.alarms and not self.late

    @property
    def summary(self) -> str:
        """What went wrong, in a few words; empty when it is good."""
        if self.good:
            return ""
        parts: list[str] = [self.word] if self.word not in ("right", "quiet") else []
        parts += [f"seen at step {self.seen}, not by {self.trial.case.seen_by}"] if self.late else []
        parts += [f"also {', '.join(self.alarms)}"] if self.alarms else []
        return "; ".join([*parts, self.problem] if self.problem else parts)


@dataclass(frozen=True, slots=True)
class Gap:
    """A trial that is known not to be good, and why."""

    trial: str
    word: str
    reason: str


def judge(outcome: Outcome) -> Judgement:
    """What the findings of one trial are worth."""
    trial, case = outcome.trial, outcome.trial.case
    if outcome.record is None:
        return Judgement(trial, "failed", problem=outcome.problem, seconds=outcome.seconds)
    findings = outcome.record.findings
    found = tuple(dict.fromkeys(finding.rule for finding in findings))
    loud = [finding for finding in findings if finding.severity != "note"]
    if trial.role != "bug":
        alarms = tuple(dict.fromkeys(finding.rule for finding in loud))
        return Judgement(trial, "alarm" if loud else "quiet", None, False, alarms, found, "", outcome.seconds)
    accepted = [finding for finding in findings if finding.rule in case.rules and _loud_enough(finding, case.severity)]
    explained = {*case.rules, *case.also}
    alarms = tuple(dict.fromkeys(finding.rule for finding in loud if finding.rule not in explained))
    if not (accepted and _covers(accepted, case.tensors)):
        return Judgement(trial, "other" if loud else "missed", None, False, (), found, "", outcome.seconds)
    seen = min((step for step in map(seen_step, accepted) if step is not None), default=None)
    late = seen is not None and case.seen_by is not None and not trial.variant and seen > case.seen_by
    return Judgement(trial, "right", seen, late, alarms, found, "", outcome.seconds)


def seen_step(finding: Finding) -> int | None:
    """The executed step by which a finding's event was seen; None where the finding is a state of the whole run."""
    for key in ("seen_at_step", "first_step"):
        if isinstance(step := finding.evidence.get(key), int):
            return step
    steps = re.findall(r"\d+", str(finding.evidence.get("interval", "")))
    return int(steps[-1]) if steps else None


def gaps(path: Path = GAPS) -> dict[str, Gap]:
    """The known gaps by name of trial.

    Raises:
        ValueError: a gap without a reason.
    """
    found = {}
    for name, said in tomllib.loads(path.read_text()).items():
        if not said.get("reason", "").strip():
            raise ValueError(f"{path.name}: the gap {name} has no reason")
        found[name] = Gap(name, said.get("word", ""), said["reason"])
    return found


def unexplained(judgements: Iterable[Judgement], known: dict[str, Gap], names: Sequence[str]) -> list[str]:
    """One sentence for each disagreement with the known gaps, in both directions; none means that all is well.

    Args:
        judgements: of the trials that were run.
        known: the gaps.
        names: of all trials there are, run or not.
    """
    complaints = [f"the gap {name} names no trial" for name in known if name not in names]
    for judgement in judgements:
        gap = known.get(judgement.trial.name)
        if gap and judgement.good:
            complaints.append(f"{judgement.trial.name} is a known gap, but all is well with it: remove the gap")
        elif gap and gap.word != judgement.word:
            complaints.append(f"{judgement.trial.name} is known as {gap.word}, but it is: {judgement.summary}")
        elif not gap and not judgement.good:
            complaints.append(f"{judgement.trial.name}: {judgement.summary}")
    return complaints


def _loud_enough(finding: Finding, severity: str) -> bool:
    order: tuple[str, ...] = SEVERITIES
    return order.index(finding.severity) <= order.index(severity)


def _covers(findings: Iterable[Finding], patterns: Iterable[str]) -> bool:
    names = [name for finding in findings for name in finding.tensors]
    return all(any(matches(pattern, name) for name in names) for pattern in patterns)
