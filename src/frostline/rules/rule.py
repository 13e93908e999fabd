"""What a rule is: its name, its page, and how it becomes a finding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Severity

Evidence = dict[str, str | int | float | bool | list[str] | None]
NOT_LOOKED_FOR = "unknown: not looked for"  # said of a fact that would matter, where a row has None
EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Rule:
    """One state that can be found in a run.

    ``law`` is the law whose violation it explains. ``means``, ``matters``, ``example`` and ``remedy`` are its page;
    ``tells_apart`` says which evidence separates it from its neighbours. The search itself is the family's: one pass
    over the ledger, so that one cause gives one finding.
    """

    code: str
    slug: str
    severity: Severity
    law: str
    means: str
    matters: str
    remedy: str
    tells_apart: str = ""

    @property
    def example(self) -> str:
        """A script that fires it, with the command to run it on the first line; empty where there is none yet."""
        script = EXAMPLES / f"{self.slug}.py"
        return script.read_text("utf-8") if script.is_file() else ""

    def found(
        self,
        rows: Iterable[TensorRow | str],
        message: str,
        evidence: Evidence | None = None,
        *,
        severity: Severity | None = None,
        hint: str | None = None,
    ) -> Finding:
        """A finding of this rule.

        Args:
            tensors: rows or names concerned, in the ledger's order.
            message: the fact, with names and numbers.
            evidence: numbers of this run.
            severity: other than the rule's own, when the run calls for it.
            hint: other than the rule's remedy.
        """
        names = [row if isinstance(row, str) else row.name for row in rows]
        return Finding(
            rule=self.slug,
            code=self.code,
            severity=severity or self.severity,
            tensors=list(dict.fromkeys(names)),
            message=message,
            evidence={key: value for key, value in (evidence or {}).items() if value is not None},
            hint=hint or self.remedy,
        )


def parameters(rows: Iterable[TensorRow]) -> int:
    """How many values the tensors hold together."""
    return sum(row.size for row in rows)


def several(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> several(1, "tensor"), several(2, "tensor")
    ('1 tensor', '2 tensors')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def tensors(tensor_rows: Iterable[TensorRow]) -> str:
    """The tensors as "3 tensors (1,024 parameters)"."""
    rows = list(tensor_rows)
    return f"{several(len(rows), 'tensor')} ({several(parameters(rows), 'parameter')})"
