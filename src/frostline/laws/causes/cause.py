"""What a cause is: its name, its page, where it is seen in a run, and what makes it weigh less there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from frostline.core.amounts import several
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Severity
from frostline.laws.observed_run import ObservedRun

Evidence = dict[str, str | int | float | bool | list[str] | None]
Seen = TypeVar("Seen")
EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Mitigation(Generic[Seen]):
    """Why a cause weighs less than its own severity, with what proves it in a run.

    ``proof`` takes what the cause looks at and says what was seen, as it is printed, or None where nothing proves it.
    ``hint`` is what to do then, where that is not the cause's remedy.
    """

    name: str
    means: str
    proof: Callable[[Seen], str | None]
    severity: Severity = "note"
    hint: str | None = None

    def proven(self, seen: Seen) -> Proven | None:
        """The mitigation with its proof, or None."""
        proof = self.proof(seen)
        return Proven(self.name, proof, self.severity, self.hint) if proof else None


@dataclass(frozen=True, slots=True)
class Proven:
    """A mitigation that was proven of a case."""

    name: str
    proof: str
    severity: Severity
    hint: str | None = None


def proven(mitigations: Iterable[Mitigation[Seen]], seen: Seen) -> Proven | None:
    """The first of the mitigations that is proven, or None."""
    return next((each for mitigation in mitigations if (each := mitigation.proven(seen)) is not None), None)


def _few_steps(seen: tuple[int | None, ObservedRun]) -> str | None:
    steps, run = seen
    if steps is None or steps >= run.patience:
        return None
    return f"{several(steps, 'step')} could have moved it, and {run.patience} are waited for"


FEW_STEPS = Mitigation("few steps", "So few steps were made that the first change may be yet to come.", _few_steps)


@dataclass(frozen=True, slots=True)
class Case:
    """A cause in one run: the tensors, the fact with names and numbers, and what it was concluded from.

    ``severity`` is graver than the cause's own where the run calls for it; only what is ``mitigated`` weighs less.
    ``hint`` is other than the cause's remedy.
    """

    tensors: Sequence[TensorRow | str]
    message: str
    evidence: Evidence = field(default_factory=dict)
    severity: Severity | None = None
    hint: str | None = None
    mitigated: Proven | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One state of a run that explains why a law is broken.

    ``law`` is the law whose violation it explains. ``means``, ``matters``, ``example`` and ``remedy`` are its page;
    ``tells_apart`` says which evidence separates it from its neighbours. ``cases`` looks at the whole run; why one
    tensor moved or stood still is found by families, so that it has one cause.
    ``symptoms`` are names of causes, or the letters of families, that only repeat it for the same tensors.
    """

    code: str
    slug: str
    severity: Severity
    law: str
    means: str
    matters: str
    remedy: str
    tells_apart: str = ""
    symptoms: tuple[str, ...] = ()
    mitigations: tuple[Mitigation[Any], ...] = ()
    cases: Callable[[ObservedRun], Iterable[Case]] | None = None

    @property
    def example(self) -> str:
        """A script that fires it, with the command to run it on the first line; empty where there is none yet."""
        script = EXAMPLES / f"{self.slug}.py"
        return script.read_text("utf-8") if script.is_file() else ""

    def finding(self, case: Case) -> Finding:
        """What is reported of a case."""
        names = [row if isinstance(row, str) else row.name for row in case.tensors]
        evidence: Evidence = {key: value for key, value in case.evidence.items() if value is not None}
        severity, hint = case.severity or self.severity, case.hint
        if case.mitigated is not None:
            evidence["excuse"] = f"{case.mitigated.name}: {case.mitigated.proof}"
            severity, hint = case.mitigated.severity, hint or case.mitigated.hint
        return Finding(
            rule=self.slug,
            code=self.code,
            severity=severity,
            tensors=list(dict.fromkeys(names)),
            message=case.message,
            evidence=evidence,
            hint=hint or self.remedy,
        )


def flips_of(row: TensorRow) -> list[str] | None:
    """When the tensor's flag was turned on and off, as evidence says it; None where it never was."""
    return [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in row.declared.flips] or None


def findings(causes: Iterable[Cause], run: ObservedRun) -> list[Finding]:
    """What causes that look at the whole run find there."""
    return [cause.finding(case) for cause in causes if cause.cases for case in cause.cases(run)]
