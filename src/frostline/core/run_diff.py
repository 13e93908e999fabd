"""What differs between the ledgers of two runs: tensors, their columns, and the findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record
from frostline.core.suppressions import known

COLUMNS = ("shape", "dtype", "expected", "declared", "optimizer", "changed")


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of one tensor that says ``old`` in the first run and ``new`` in the second."""

    name: str
    column: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything in which two runs differ; names and cells are in the order of their ledgers."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    new_findings: list[Finding] = field(default_factory=list)
    gone_findings: list[Finding] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 where the runs say the same, else 1."""
        return int(self != Difference())

    def reversed(self) -> Difference:
        """The same difference, seen from the second run."""
        cells = [replace(cell, old=cell.new, new=cell.old) for cell in self.cells]
        return Difference(self.removed, self.added, cells, self.gone_findings, self.new_findings)


def compare(old: Record, new: Record) -> Difference:
    """In what ``new`` differs from ``old``; tensors are the same where their names are.

    What every run has of its own (times, counts of steps and checks, evidence) does not count: of a finding its rule,
    severity and tensors are compared, of a tensor the columns.

    Example:
        >>> from frostline.core.ledger import Run
        >>> from frostline.core.record import Totals, Verdict
        >>> empty = Record(1, "0.1", Run(), [], [], Totals(), [], Verdict())
        >>> compare(empty, empty).exit_status
        0
    """
    before, after = columns(old), columns(new)
    cells = [
        Cell(name, column, before[name][column], said)
        for name, row in after.items()
        for column, said in row.items()
        if name in before and before[name][column] != said
    ]
    theirs, ours = _findings(old), _findings(new)
    return Difference(
        [name for name in after if name not in before],
        [name for name in before if name not in after],
        cells,
        [finding for key, finding in ours.items() if key not in theirs],
        [finding for key, finding in theirs.items() if key not in ours],
    )


def columns(record: Record) -> Mapping[str, dict[str, str]]:
    """What every tensor's columns say, as words, by the tensor's name."""
    return {row.name: dict(zip(COLUMNS, _said(row), strict=True)) for row in record.tensors}


def _said(row: TensorRow) -> tuple[str, ...]:
    flag = {True: "trainable", False: "frozen", None: "none"}[row.declared.trainable]
    optimizers = sorted({holding.optimizer for holding in row.optimizers if holding.listed})
    return (
        "×".join(map(str, row.shape)) or "one value",
        row.dtype,
        row.expected or "not said",
        flag,
        ", ".join(optimizers) or "nothing",
        row.changed.verdict,
    )


def _findings(record: Record) -> dict[tuple[str, str, tuple[str, ...], str], Finding]:
    models = {row.name: row.model for row in record.tensors}
    found: dict[tuple[str, str, tuple[str, ...], str], Finding] = {}
    for finding in record.findings:
        what = known(finding, models)
        found[what.rule, finding.severity, tuple(what.tensors), what.subject] = finding
    return found
