"""The laws. A violation is found by the law alone, from bits and flags; then its cause is looked for.

Where no cause explains a violation and no excuse is proven, the finding stands under the law's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Excused, Finding
from frostline.core.verdict import by_severity
from frostline.laws import own
from frostline.laws.causes import CAUSES, explain
from frostline.laws.causes.cause import Cause, Evidence
from frostline.laws.law import Law, Violation
from frostline.laws.lines.origins import located
from frostline.laws.observed_run import ObservedRun


def _laws() -> Iterator[Law]:
    """That of each module of this package that has one."""
    for each in iter_modules(__path__):
        law = getattr(import_module(f"{__name__}.{each.name}"), "LAW", None)
        if isinstance(law, Law):
            yield law


LAWS: tuple[Law, ...] = tuple(sorted(_laws(), key=lambda law: int(law.code[1:])))
LAW_OF = {each.slug: each.law for each in CAUSES} | {law.slug: law.code for law in LAWS}
NAMED: tuple[Law | Cause, ...] = (*LAWS, *CAUSES)  # what a finding can be named after


def known(files: tuple[Path, ...] = ()) -> list[Law | Cause]:
    """All that a finding can be named after, a project's own laws and causes included, which are in ``files``."""
    return [*NAMED, *own.own(files)]


def why(files: tuple[Path, ...] = ()) -> dict[str, str]:
    """Why each law and each cause matters, by its code; those of a project's own are in ``files``.

    Example:
        >>> why()["L1"]
        'What you ship differs from what you froze.'
    """
    return {each.code: each.matters for each in known(files)}


def judge(ledger: Ledger, files: tuple[Path, ...] = ()) -> tuple[list[Finding], list[Excused]]:
    """Every finding of the run, the grave ones first, and every violation that a proven excuse explains.

    Args:
        ledger: what was seen; nothing else is consulted.
        files: in which a project has laws and causes of its own.

    Example:
        >>> judge(Ledger())
        ([], [])
    """
    run = ObservedRun(ledger)
    findings, excused = explain(run), []
    for law in LAWS:
        for violation in law.violations(run) if law.violations else ():
            findings = _weighed(law, violation, findings)
            if _explained(violation, findings):
                continue
            open_rows = violation.tensors if violation.apart else _unexplained(law, violation, findings)
            rows, excuses = _without_excuse(law, open_rows, run)
            excused += excuses
            if rows or (violation.optimizer and not violation.tensors):
                findings.append(law.found(violation, rows))
    return located(by_severity([*findings, *own.findings(run, files)]), run), excused


def _weighed(law: Law, violation: Violation, findings: list[Finding]) -> list[Finding]:
    """A violation has the weight of its law: what explains all of it is no less than that.

    A cause that is surer of itself than the law may say that a part is harmless; of the whole it never is, and no more
    are several that share the whole among them.
    """
    names = {row.name for row in violation.tensors}
    about = [each for each in findings if each.tensors and names.issuperset(each.tensors)]
    shared = names <= {name for each in about for name in each.tensors}
    if not violation.whole or (shared and any(each.severity == "error" for each in about)):
        return findings
    said: Evidence = {"law": f"{law.code} {law.slug}: {violation.message}"}
    return [
        replace(each, severity=law.severity, evidence=each.evidence | said)
        if each.severity != "error" and names and (names <= set(each.tensors) or (shared and each in about))
        else each
        for each in findings
    ]


def _explained(violation: Violation, findings: Sequence[Finding]) -> bool:
    """Whether the whole is explained: by an error about a part of it, or about the optimizer itself."""
    if not (violation.whole or violation.optimizer):
        return False
    names = {row.name for row in violation.tensors}
    return any(
        (each.severity == "error" and names & set(each.tensors))
        or (violation.optimizer is not None and violation.optimizer in each.evidence.values())
        for each in findings
    )


def _unexplained(law: Law, violation: Violation, findings: Sequence[Finding]) -> list[TensorRow]:
    """The tensors that no error names, and no cause of this law or one beside it, which has said how grave that is.

    An error about files says nothing of whether a tensor went on moving in memory.
    """
    laws = {law.code, *law.beside}
    apart = {"L9"} if law.code == "L2" else set()
    causes = [
        each
        for each in findings
        if LAW_OF[each.rule] in laws or (each.severity == "error" and LAW_OF[each.rule] not in apart)
    ]
    named = {name for finding in causes for name in finding.tensors}
    return [row for row in violation.tensors if row.name not in named]


def _without_excuse(law: Law, rows: Sequence[TensorRow], run: ObservedRun) -> tuple[list[TensorRow], list[Excused]]:
    left, excused = [], []
    excuses = [(excuse.name, excuse.proofs(run)) for excuse in law.excuses] if rows else []
    for row in rows:
        proven = ((name, proof(row)) for name, proof in excuses)
        name, proof = next(((name, proof) for name, proof in proven if proof), ("", ""))
        if proof:
            excused.append(Excused(law.code, name, row.name, proof))
        else:
            left.append(row)
    return left, excused
