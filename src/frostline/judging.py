"""Judging: from what was seen of a run to the record that is reported, while the run goes on or from its file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from frostline.core.anonymous import anonymous
from frostline.core.collector import collector_paused
from frostline.core.ledger import Ledger
from frostline.core.record import BaselineUse, Excused, Finding, Record
from frostline.core.storage import run_file, store
from frostline.core.suppressions import Policy, settle, use_of
from frostline.core.verdict import judge, totals
from frostline.laws import judge as judge_by_laws
from frostline.version import __version__


def judged(ledger: Ledger, policy: Policy) -> Record:
    """The record of a run, with findings as ``policy`` wants them to count."""
    findings, excused = judge_by_laws(ledger, policy.laws)
    return judged_by(_record(ledger, findings, excused=excused), policy)


def unjudged(ledger: Ledger) -> Record:
    """The record of a run without findings."""
    return _record(ledger, [])


def judged_by(record: Record, policy: Policy) -> Record:
    """The record as ``policy`` wants its findings to count, whatever policy judged it before."""
    findings = settle(record.findings, record.tensors, policy)
    used = use_of(policy.baseline, findings, record.tensors) if policy.baseline is not None else None
    return replace(record, findings=findings, verdict=judge(findings, record.tensors, record.run), baseline=used)


def anonymised(record: Record) -> Record:
    """The record with every word that a user chose replaced, judged anew."""
    ledger = Ledger(record.tensors, record.optimizers, record.events, record.expected, record.run, record.patience)
    return judged(anonymous(ledger), Policy())


@collector_paused()
def load(path: str | os.PathLike[str], policy: Policy | None = None) -> Record:
    """The record of the run stored at ``path``.

    The file of a run that came to its end holds its findings; one that was cut short, or that another version of
    frostline wrote, is judged now, as ``policy`` wants it.

    Raises:
        RecordError: the file is missing, unreadable, or no record of this format.
    """
    data = store.read(path)
    if not run_file.is_run_file(data):
        return store.from_json(data, str(path))
    store.require_format(data, str(path))
    stored = run_file.read(data, str(Path(path)))
    if stored.seal is None or stored.frostline != __version__:
        return judged(stored.ledger, policy or Policy())
    return _record(stored.ledger, stored.seal.findings, stored.seal.baseline, stored.seal.excused)


def _record(
    ledger: Ledger,
    findings: list[Finding],
    baseline: BaselineUse | None = None,
    excused: Sequence[Excused] = (),
) -> Record:
    return Record(
        format=store.FORMAT,
        frostline=__version__,
        run=ledger.run,
        optimizers=ledger.optimizers,
        tensors=ledger.tensors,
        totals=totals(ledger.tensors),
        findings=findings,
        verdict=judge(findings, ledger.tensors, ledger.run),
        events=ledger.events,
        expected=ledger.expected,
        baseline=baseline,
        excused=list(excused),
        patience=ledger.patience,
    )
