"""What frostline finds in a random training against what brute force finds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace

import frostline
from frostline.core.record import Record
from frostline.laws import LAW_OF
from oracle import judge, trainings
from oracle.judge import Violation
from oracle.plans import Plan, plan

JUDGED = ("L1", "L2", "L5")  # the laws that both sides know
LAW_OF_STILLNESS = {"L2", "L3", "L4", "L10"}  # whose causes explain that a tensor did not move


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A plan in which one side sees what the other does not."""

    plan: Plan
    missed: set[Violation]  # by frostline
    alarms: set[Violation]


def disagreement(of: Plan) -> Disagreement | None:
    """Run a plan under observation; what the two sides do not agree on, or None."""
    copies = trainings.Copies()
    with frostline.watch() as seen:
        trainings.run(of, copies)
    record = seen.report.record
    if record.run.faults:
        raise RuntimeError(f"frostline failed at {of}: {record.run.faults}")
    truth = judge.violations(of, copies)
    said = {(law, name) for law, name, _ in _said(record)}
    grave = {(law, name) for law, name, severity in _said(record) if severity != "note"}
    missed, alarms = truth - said, {each for each in grave - truth - judge.doubtful(copies) if each[0] in JUDGED}
    return Disagreement(of, missed, alarms) if missed or alarms else None


def _said(record: Record) -> Iterator[tuple[str, str, str]]:
    """The laws that frostline finds broken, for which tensors, and how grave it says that is.

    What it excuses counts as said only of tensors that stood still: nothing here excuses that a frozen one moves.
    """
    for finding in record.findings:
        law = LAW_OF[finding.rule]
        for name in finding.tensors:
            yield ("L2" if law in LAW_OF_STILLNESS else law), name.partition(".")[2], finding.severity
    for excused in record.excused:
        if excused.law in LAW_OF_STILLNESS:
            yield "L2", excused.tensor.partition(".")[2], "note"


def shrunk(found: Disagreement) -> Disagreement:
    """The same disagreement in a smaller plan: without what can be left out of it."""
    for smaller in _smaller(found.plan):
        again = disagreement(smaller)
        if again is not None and (again.missed & found.missed or again.alarms & found.alarms):
            return shrunk(again)
    return found


def _smaller(of: Plan) -> Iterator[Plan]:
    for index in range(len(of.mutations)):
        yield replace(of, mutations=of.mutations[:index] + of.mutations[index + 1 :])
    if of.average is not None:
        yield replace(of, average=None)
    if of.optimizers > 1:
        yield replace(of, optimizers=1)
    if of.schedule != "constant":
        yield replace(of, schedule="constant")
    if of.listed:
        yield replace(of, listed=False)
    for index, block in enumerate(of.blocks):
        if block.norm != "none":
            yield replace(of, blocks=(*of.blocks[:index], replace(block, norm="none"), *of.blocks[index + 1 :]))
    if of.steps > 6 and all(each.step < 6 for each in of.mutations):
        yield replace(of, steps=6)


def disagreements(seeds: range) -> Iterator[Disagreement]:
    """Every seed of which the two sides do not see the same.

    What is imported by now is frozen: a check that looks through all objects for tensors need not walk through it.
    """
    gc.collect()
    gc.freeze()
    yield from (found for seed in seeds if (found := disagreement(plan(seed))) is not None)
