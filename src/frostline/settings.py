"""Every setting of a run, in one table: the command line, the Python interface and files fill the same fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from frostline.core.ledger import Meant


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is observed.

    Args:
        data: where the record goes; None keeps it in memory.
        meant: patterns of what should stay frozen and what should be trained.
        check_every: check at every n-th step of each program; None is the schedule 1, 2, 4, 8, …
        patience: executed steps below which "unchanged so far" is a note and never an error.
        keep_bytes: bytes that copies and references kept for evidence may take together.
        debug: show errors inside frostline with their tracebacks.
    """

    data: Path | None = None
    meant: Meant = field(default_factory=Meant)
    check_every: int | None = None
    patience: int = 3
    keep_bytes: int = 64 * 2**20
    debug: bool = False
