"""The records of several processes as one: their findings together, and what the ranks disagree on.

Records are added one after the other, and none is kept: what it takes grows with the tensors, not with the processes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from frostline.core.ledger import Answer, OptimizerRow, TensorRow
from frostline.core.record import SEVERITIES, Finding, Record
from frostline.core.run import Run, is_alive
from frostline.core.suppressions import Policy, known, settle
from frostline.core.verdict import judge, totals
from frostline.errors import FrostlineError
from frostline.laws.causes.ranks import Comparison
from frostline.run.files.run_folder import STARTED_TOGETHER
from frostline.run.wholes import Wholes, together

_RUNS_APART = "name one record of each process of one run"


def combine(records: Iterable[Record], policy: Policy | None = None) -> Record:
    """One record for all processes of a run.

    A tensor that every process has is one tensor, changed where it changed in any. A finding that several processes
    made is one finding, which says in which. Those that are ranks of one training are compared.

    Args:
        records: one of each process.
        policy: what becomes of findings.

    Raises:
        FrostlineError: there are fewer than two records, two of one rank, some of different runs, or some whose digests
            are of other blocks.
    """
    combination = Combination()
    for record in sorted(records, key=lambda record: -1 if record.run.rank is None else record.run.rank):
        combination.add(record)
    return combination.record(policy or Policy())


@dataclass(slots=True)
class _Said:
    """One finding as the gravest of the processes that made it has it, and which those are."""

    finding: Finding
    processes: list[str] = field(default_factory=list)


class Combination:
    """Several processes of one run, added one after the other.

    Args:
        is_one_run: whether the records are known to be of one run, so that two of one rank are a restart.
    """

    def __init__(self, is_one_run: bool = False) -> None:
        self._is_one_run = is_one_run
        self._first: Record | None = None
        self._runs: list[tuple[str, Run]] = []
        self._optimizers: dict[str, OptimizerRow] = {}
        self._tensors: dict[str, tuple[TensorRow, set[Answer]]] = {}
        self._wholes = Wholes()
        self._blocks: dict[tuple[str, int], int] = {}
        self._findings: dict[tuple[str, tuple[str, ...], str], _Said] = {}
        self._comparison = Comparison()
        self._ranks: set[int] = set()
        self._compared: set[int] = set()  # those that trained
        self._size = 0  # how many there are, as these say
        self._missing: list[str] = []
        self._idle: list[tuple[int | None, str]] = []

    def add(self, record: Record, name: str = "") -> None:
        """One more process, whose record is called ``name`` where it does not belong to the others.

        Raises:
            FrostlineError: it cannot be of the same run, or not be compared.
        """
        run = record.run
        label = name or _label(run)
        self._require_same_run(label, run)
        self._require_same_blocks(record)
        self._first = self._first or record
        self._runs.append((label, run))
        is_idle = run.complete and not record.tensors and not record.optimizers
        if is_idle:
            self._idle.append((run.rank, _label(run)))
        elif run.rank is not None and run.rank in self._compared:
            self._missing.append(f"rank {run.rank} ran twice; only the first time is compared")
        elif run.rank is not None:
            self._compared.add(run.rank)
            self._comparison.add(record)
            self._size = max(self._size, run.world_size or 0)
        if run.rank is not None:
            self._ranks.add(run.rank)
        if not run.complete:
            self._missing.append(_cut_short(run))
        for optimizer in record.optimizers:
            self._optimizers.setdefault(optimizer.id, optimizer)
        for row in record.tensors:
            self._tensors.setdefault(row.name, (row, set()))[1].add(row.changed.verdict)
        self._wholes.add(record)
        self._note_findings(record)

    def record(self, policy: Policy, missing: Iterable[str] = ()) -> Record:
        """All of them as one.

        Args:
            policy: what becomes of findings.
            missing: of which other processes nothing is known, besides ranks that were not added.

        Raises:
            FrostlineError: there are fewer than two, and no others are known to be missing.
        """
        missing = [*missing]
        first, run = self._first, self._run(missing)
        if first is None or (len(self._runs) < 2 and run.world_size is None and not missing):
            raise FrostlineError(
                "one record alone has nothing to be combined with", "name the records of all processes"
            )
        wholes = self._wholes.rows()
        # Events are those of the first process, and go by its numbers: what another calls 7 is none of its 7.
        numbers = {row.name: row.id for row in first.tensors}
        tensors = [
            replace(
                wholes.get(row.name) or replace(row, changed=replace(row.changed, verdict=together(said))),
                id=numbers.get(row.name, -1),
            )
            for row, said in self._tensors.values()
        ]
        apart = self._comparison.findings() if len(self._ranks) > 1 else []
        of_each = [self._merged(said) for said in self._findings.values() if not self._wholes.concerns(said.finding)]
        of_wholes, excused = self._wholes.judged(first, tensors, run)
        findings = settle([*apart, *of_wholes, *of_each], tensors, policy)
        return replace(
            first,
            run=run,
            optimizers=list(self._optimizers.values()),
            tensors=tensors,
            totals=totals(tensors),
            findings=findings,
            verdict=judge(findings, tensors, run),
            excused=[*excused, *(each for each in first.excused if each.tensor not in self._wholes)],
        )

    def _require_same_run(self, label: str, run: Run) -> None:
        if self._is_one_run:
            return
        if run.rank is not None and run.rank in self._ranks:
            raise FrostlineError(f"two of the records are of rank {run.rank}", _RUNS_APART)
        for other, before in self._runs[:1]:
            if run.id and before.id and run.id != before.id:
                raise FrostlineError(f"{label} is of the run {run.id}, {other} of {before.id}", _RUNS_APART)
            if run.world_size != before.world_size:
                sizes = f"{label} is of {run.world_size or 1} processes, {other} of {before.world_size or 1}"
                raise FrostlineError(f"{sizes}: not one run", _RUNS_APART)
            if abs(_started(run) - _started(before)) > STARTED_TOGETHER:
                times = f"{label} began at {run.started}, {other} at {before.started}"
                raise FrostlineError(f"{times}: not one run", _RUNS_APART)

    def _require_same_blocks(self, record: Record) -> None:
        """Refuse digests of the same tensor made of blocks of different size: they differ whatever the bits."""
        for row in record.tensors:
            if row.changed.digests is not None:
                blocks = self._blocks.setdefault((row.name, row.bytes), row.changed.blocks)
                if blocks != row.changed.blocks:
                    raise FrostlineError(
                        "the records hold digests of blocks of different size, which cannot be compared",
                        "run all processes with one version of frostline",
                    )

    def _note_findings(self, record: Record) -> None:
        models = {row.name: row.model for row in record.tensors} if record.findings else {}
        process = str(record.run.pid if record.run.rank is None else record.run.rank)
        for finding in record.findings:
            what = known(finding, models)
            said = self._findings.setdefault((what.rule, tuple(what.tensors), what.subject), _Said(finding))
            if SEVERITIES.index(finding.severity) < SEVERITIES.index(said.finding.severity):
                said.finding = finding
            said.processes.append(process)

    def _merged(self, said: _Said) -> Finding:
        if len(said.processes) == len(self._runs):
            return said.finding
        which = "only_in_ranks" if len(self._ranks) == len(self._runs) else "only_in_processes"
        return replace(said.finding, evidence=said.finding.evidence | {which: said.processes})

    def _run(self, missing: list[str]) -> Run:
        runs = [run for _, run in self._runs] or [Run()]
        size = self._size or max((run.world_size or 0 for run in runs if run.rank is not None), default=0)
        missing = [*(f"rank {rank}: no record of it" for rank in range(size) if rank not in self._ranks), *missing]
        exits = [run.exit for run in runs if run.exit is not None]
        return replace(
            runs[0],
            rank=None,
            world_size=max(len(runs), size) if len(runs) > 1 or size else None,
            exit=next((status for status in exits if status), exits[0] if exits else None),
            complete=all(run.complete for run in runs),
            seconds=max(run.seconds for run in runs),
            own_seconds=max(run.own_seconds for run in runs),
            steps=max(run.steps for run in runs),
            checks=sum(run.checks for run in runs),
            bytes_read=sum(run.bytes_read for run in runs),
            ended_by=next((run.ended_by for run in runs if run.ended_by), None),
            faults=[f"{_label(run)}: {fault}" for run in runs for fault in run.faults],
            missing=[*self._missing, *missing],
            idle=[label for rank, label in self._idle if rank is None or rank not in self._compared],
        )


def _label(run: Run) -> str:
    return f"process {run.pid}" if run.rank is None else f"rank {run.rank}"


def _cut_short(run: Run) -> str:
    if not run.ended_by and is_alive(run):
        return f"{_label(run)} still runs: known up to step {run.steps:,} so far"
    by = f"was ended by {run.ended_by}" if run.ended_by else "did not come to its end"
    return f"{_label(run)} {by}: known up to step {run.steps:,} only"


def _started(run: Run) -> float:
    return datetime.datetime.fromisoformat(run.started).timestamp() if run.started else 0.0
