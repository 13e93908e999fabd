"""What a rule is: its name, its page, and a function from the ledger to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from frostline.core.ledger import Finding, Ledger


@dataclass(frozen=True, slots=True)
class Rule:
    """One state that can be found in a run.

    ``means``, ``matters``, ``example`` (a script that fires it) and ``remedy`` are its page; ``tells_apart`` says
    which evidence separates it from its neighbours. The search itself is the family's: one pass over the ledger,
    so that one cause gives one finding.
    """

    code: str
    slug: str
    severity: str
    means: str
    matters: str
    example: str
    remedy: str
    tells_apart: str = ""


Family = Callable[[Ledger], Iterable[Finding]]
