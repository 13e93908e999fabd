"""What a law is: a sentence about bits that holds in every healthy training, and how its violation is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from frostline.core import facts
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Severity
from frostline.laws.causes.cause import Evidence
from frostline.laws.observed_run import ObservedRun

Proof: TypeAlias = Callable[[TensorRow], str | None]


@dataclass(frozen=True, slots=True)
class Excuse:
    """Why a violation of a law is none, with what proves it in a run.

    ``proofs`` takes the run and gives a function that says what was seen of a tensor, as it is printed, or None
    where nothing proves the excuse: what is the same for all tensors is worked out once.
    """

    name: str
    means: str
    proofs: Callable[[ObservedRun], Proof]


def by_row(proof: Callable[[TensorRow, ObservedRun], str | None]) -> Callable[[ObservedRun], Proof]:
    """The proofs of an excuse that needs nothing worked out beforehand."""
    return lambda run: lambda row: proof(row, run)


@dataclass(frozen=True, slots=True)
class Violation:
    """Tensors, or an optimizer, about which the facts contradict a law, whatever caused it.

    ``whole`` says that the fact is about all the tensors together: it stands though each has a cause of its own.
    ``apart`` that findings about the tensors say nothing of it: it is about steps, or files. ``severity`` is another
    than the law's own.
    """

    tensors: tuple[TensorRow, ...]
    message: str
    evidence: Evidence
    optimizer: str | None = None
    hint: str | None = None
    whole: bool = False
    apart: bool = False
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Law:
    """One law: its statement, the facts it needs, what excuses a violation, and what it cannot see.

    ``violations`` looks at bits and flags only and never at causes; a law without it is judged by its causes alone.
    ``beside`` are the laws whose causes explain a violation of this one too. What no cause explains is reported under
    the law's own ``code`` and ``slug``.

    Example:
        >>> from frostline.laws import LAWS
        >>> next(law.slug for law in LAWS if law.code == "L2")
        'motion'
    """

    code: str
    slug: str
    severity: Severity
    statement: str
    matters: str
    remedy: str
    needs: tuple[type[facts.Fact], ...]
    cannot_see: str
    beside: tuple[str, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    violations: Callable[[ObservedRun], Iterable[Violation]] | None = field(default=None, repr=False)

    def found(self, violation: Violation, rows: Sequence[TensorRow]) -> Finding:
        """The finding for what no cause explains of a violation: ``rows`` of its tensors."""
        return Finding(
            rule=self.slug,
            code=self.code,
            severity=violation.severity or self.severity,
            tensors=[row.name for row in rows],
            message=violation.message,
            evidence={key: value for key, value in violation.evidence.items() if value is not None},
            hint=violation.hint or self.remedy,
        )
