"""The records of several processes as one: their findings together, and what the processes disagree on."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from frostline.core.ledger import Answer, OptimizerRow, Run, TensorRow
from frostline.core.record import Finding, Record
from frostline.core.suppressions import Policy, known, settle
from frostline.core.verdict import by_severity, judge, totals
from frostline.errors import FrostlineError, RecordError
from frostline.judging import load
from frostline.rules import ranks

STARTED_TOGETHER = 600.0  # seconds between the processes of one launcher; what is older is of another run


def combine(records: Sequence[Record], policy: Policy | None = None, *, compare: bool = True) -> Record:
    """One record for all processes of a run.

    A tensor that every process has is one tensor, changed where it changed in any. A finding that several processes
    made is one finding, which says in which.

    Args:
        records: one of each process.
        policy: what becomes of findings.
        compare: whether they were ranks of one training, which must agree.

    Raises:
        FrostlineError: there are fewer than two records, two of one rank, or some whose digests are of other blocks.
    """
    ordered = sorted(records, key=lambda record: -1 if record.run.rank is None else record.run.rank)
    _require_ranks(ordered)
    _require_same_blocks(ordered)
    rows = _leaves(ordered)
    findings = settle([*(ranks.find(ordered) if compare else ()), *_findings(ordered)], rows, policy or Policy())
    return replace(
        ordered[0],
        run=_run(ordered),
        optimizers=_programs(ordered),
        tensors=rows,
        totals=totals(rows),
        findings=findings,
        verdict=judge(findings, rows),
    )


def complete(paths: Sequence[Path], own: Record, patience: float = 60.0) -> tuple[list[Record], list[int]]:
    """The records of all ranks once they have ended, and the ranks of which none came.

    Args:
        paths: where each rank puts its record, in their order.
        own: the record of rank 0, which asks; older ones are of other runs.
        patience: how long to wait, in seconds, for ranks that have not ended.
    """
    records, until = {0: own}, time.monotonic() + patience
    while True:
        for rank, path in enumerate(paths):
            if rank not in records and (record := _ended(path, own)) is not None:
                records[rank] = record
        missing = [rank for rank in range(len(paths)) if rank not in records]
        if not missing or time.monotonic() > until:
            return [records[rank] for rank in sorted(records)], missing
        time.sleep(0.2)


def _ended(path: Path, own: Record) -> Record | None:
    """The record of a process of the same run that has ended, or None so far."""
    with contextlib.suppress(RecordError):
        record = load(path)
        same = (record.run.world_size, record.run.command) == (own.run.world_size, own.run.command)
        if record.run.complete and same and _started(record) >= _started(own) - STARTED_TOGETHER:
            return record
    return None


def _started(record: Record) -> float:
    return datetime.datetime.fromisoformat(record.run.started).timestamp()


def _require_ranks(records: Sequence[Record]) -> None:
    if len(records) < 2:
        raise FrostlineError("one record alone has nothing to be combined with", "name the records of all processes")
    seen = [record.run.rank for record in records if record.run.rank is not None]
    twice = sorted({rank for rank in seen if seen.count(rank) > 1})
    if twice:
        raise FrostlineError(f"two of the records are of rank {twice[0]}", "name one record of each process of one run")


def _require_same_blocks(records: Sequence[Record]) -> None:
    """Refuse digests of the same tensor that were made of blocks of different size: they differ whatever the bits."""
    counts: dict[tuple[str, int], set[int]] = {}
    for record in records:
        for row in record.tensors:
            if row.changed.digests is not None:
                counts.setdefault((row.name, row.bytes), set()).add(row.changed.blocks)
    if any(len(each) > 1 for each in counts.values()):
        raise FrostlineError(
            "the records hold digests of blocks of different size, which cannot be compared",
            "run all processes with one version of frostline",
        )


def _run(records: Sequence[Record]) -> Run:
    runs = [record.run for record in records]
    exits = [run.exit for run in runs if run.exit is not None]
    return replace(
        runs[0],
        rank=None,
        world_size=max([len(runs), *(run.world_size or 0 for run in runs)]),
        exit=next((status for status in exits if status), exits[0] if exits else None),
        complete=all(run.complete for run in runs),
        seconds=max(run.seconds for run in runs),
        steps=max(run.steps for run in runs),
        checks=sum(run.checks for run in runs),
        bytes_read=sum(run.bytes_read for run in runs),
        ended_by=next((run.ended_by for run in runs if run.ended_by), None),
        faults=[f"rank {run.rank}: {fault}" for run in runs for fault in run.faults],
    )


def _programs(records: Sequence[Record]) -> list[OptimizerRow]:
    """Those of the first process, and what others have besides."""
    of_all: dict[str, OptimizerRow] = {}
    for record in records:
        for optimizer in record.optimizers:
            of_all.setdefault(optimizer.id, optimizer)
    return list(of_all.values())


def _leaves(records: Sequence[Record]) -> list[TensorRow]:
    of_all: dict[str, list[TensorRow]] = {}
    for record in records:
        for row in record.tensors:
            of_all.setdefault(row.name, []).append(row)
    return [replace(same[0], changed=replace(same[0].changed, verdict=_verdict(same))) for same in of_all.values()]


def _verdict(rows: Sequence[TensorRow]) -> Answer:
    said = {row.changed.verdict for row in rows}
    return "yes" if "yes" in said else "unknown" if "unknown" in said else "no"


def _findings(records: Sequence[Record]) -> list[Finding]:
    of_all: dict[tuple[str, tuple[str, ...], str], list[tuple[int | None, Finding]]] = {}
    for record in records:
        models = {row.name: row.model for row in record.tensors}
        for finding in record.findings:
            what = known(finding, models)
            of_all.setdefault((what.rule, tuple(what.tensors), what.subject), []).append((record.run.rank, finding))
    merged = []
    for same in of_all.values():
        gravest = by_severity(finding for _, finding in same)[0]
        if len(same) < len(records):
            there = [str(rank) for rank, _ in same]
            gravest = replace(gravest, evidence=gravest.evidence | {"only_in_ranks": there})
        merged.append(gravest)
    return merged
