"""The record: the ledger of a run, judged. The one document that is stored, reported and printed as JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

from frostline.core.events import Event
from frostline.core.events.fact import shown
from frostline.core.ledger import Expected, OptimizerRow, Seen, TensorRow
from frostline.core.run import Run

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(slots=True)
class FindingOrigin:
    """A line of the script that a finding points at, with what it did: ``role`` is printed before ``by train.py:18``.

    ``file`` is relative to the folder that the run was started in, where it is below that. ``inside`` is the function
    of an installed package that the line called, and that did it. Where the line itself was not seen, it is one between
    this line and ``until``, the second file and line; that has no name where it is the end of the script. ``step``
    counts the executed steps before it.
    """

    role: str
    file: str
    line: int
    source: str = ""
    inside: str = ""
    until: tuple[str, int] | None = None
    step: int = 0

    @property
    def is_in_file(self) -> bool:
        """Whether the line stands in a file, and not in a cell of a notebook."""
        return not self.file.startswith("<") and ", cell " not in self.file

    @property
    def is_below(self) -> bool:
        """Whether it stands in a file below the folder that the run was started in."""
        return self.is_in_file and not os.path.isabs(self.file) and not self.file.startswith("../")

    @property
    def text(self) -> str:
        """File and line as they are printed, without folders of the machine.

        >>> FindingOrigin("frozen", "train.py", 18).text, FindingOrigin("written", "a.py", 1, until=("b.py", 2)).text
        ('train.py:18', 'between a.py:1 and b.py:2')
        """
        place = f"{shown(self.file)}:{self.line}"
        if self.until is None:
            return place
        if not self.until[0]:  # the end of the script
            return f"after {place}"
        other = f"{shown(self.until[0])}:{self.until[1]}"
        return f"between two steps of {place}" if other == place else f"between {place} and {other}"


@dataclass(slots=True)
class Finding:
    """A rule that fired: which tensors, the fact, the evidence from this run, what to do, and the script's lines.

    ``ignored`` is the reason why the user's settings set it aside: it is shown, and does not count. ``usual`` is the
    severity that the rule gave, where the settings gave it another.
    """

    rule: str
    code: str
    severity: Severity
    tensors: list[str]
    message: str
    evidence: dict[str, str | int | float | bool | list[str] | None]
    hint: str
    ignored: str | None = None
    usual: Severity | None = None
    origins: list[FindingOrigin] = field(default_factory=list)


@dataclass(slots=True)
class Excused:
    """A tensor that breaks the law ``law`` by its bits, and the excuse that was proven, with its proof."""

    law: str
    excuse: str
    tensor: str
    proof: str


@dataclass(slots=True)
class Known:
    """One entry of a baseline: a rule, its severity, and the tensors (without the model's name) or the message."""

    rule: str
    severity: Severity
    tensors: list[str] = field(default_factory=list)
    subject: str = ""


@dataclass(slots=True)
class BaselineUse:
    """What came of the baseline file ``source``: findings it knew, entries found no longer, or that it is missing."""

    source: str
    known: int = 0
    resolved: list[Known] = field(default_factory=list)
    missing: bool = False


@dataclass(slots=True)
class Totals:
    """Counts of parameters (not of tensors) over all parameters, each tensor counted once whatever its names."""

    parameters: int = 0
    buffers: int = 0
    declared_trainable: int = 0
    declared_frozen: int = 0
    in_optimizer: int = 0
    changed: int = 0
    unchanged: int = 0
    unknown: int = 0
    tensors: int = 0


@dataclass(slots=True)
class Verdict:
    """What the findings add up to: how many of each severity, how many tensors have a column that could not be
    established, and how many findings the user's settings set aside.

    Of ``missing`` processes of the run not all is known, or nothing; with ``uncompared`` others, ranks of one training,
    this one was not compared.
    """

    errors: int = 0
    warnings: int = 0
    notes: int = 0
    unknown: int = 0
    ignored: int = 0
    missing: int = 0
    uncompared: int = 0


@dataclass(slots=True)
class Record:
    """The one document that is stored, reported and printed as JSON.

    Example:
        >>> import torch, frostline
        >>> record = frostline.summary(torch.nn.Linear(2, 1, bias=False)).record
        >>> {row.shape: row.changed.verdict for row in record.tensors}
        {(1, 2): 'no'}
        >>> record.totals.parameters, record.verdict.errors, record.findings
        (2, 0, [])
    """

    format: int
    frostline: str
    run: Run
    optimizers: list[OptimizerRow]
    tensors: list[TensorRow]
    totals: Totals
    findings: list[Finding]
    verdict: Verdict
    events: list[Event] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)
    baseline: BaselineUse | None = None
    excused: list[Excused] = field(default_factory=list)
    patience: int = 3

    def events_of(self, kind: type[Seen]) -> list[Seen]:
        """The events of one kind, in the order in which they were seen."""
        return [event for event in self.events if isinstance(event, kind)]
