"""What frostline finds in a random training against what brute force finds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import frostline
from frostline.core.record import Finding, Record
from frostline.laws import LAW_OF
from oracle import judge
from oracle.copies import Copies
from oracle.judge import MODEL, Violation, optimizer
from oracle.plans import Plan

Run = Callable[[Plan, Copies], None]  # trains as a plan says, and copies
LAW_OF_STILLNESS = {"L2", "L3", "L4", "L10"}  # whose causes explain that a tensor did not move
JUDGED = {"L1", "L2", "L4", "L5", "L7", "L9"}  # of which a finding too many is an alarm


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A plan in which one side sees what the other does not."""

    plan: Plan
    missed: set[Violation]  # by frostline
    alarms: set[Violation]


def disagreement(of: Plan, run: Run) -> Disagreement | None:
    """Run a plan under observation; what the two sides do not agree on, or None."""
    copies = Copies()
    with frostline.watch() as seen:
        run(of, copies)
    record = seen.report.record
    if record.run.faults:
        raise RuntimeError(f"frostline failed at {of}: {record.run.faults}")
    truth = judge.violations(copies)
    said = {*_said(record), *_said_of_optimizers(record, copies)}
    grave = {each for finding in record.findings if finding.severity != "note" for each in _grave(finding, record)}
    open_ones = truth | judge.doubtful(copies)
    alarms = {(law, name) for law, name in grave if law in JUDGED and not open_ones & _names_of(law, name)}
    missed = truth - said
    return Disagreement(of, missed, alarms) if missed or alarms else None


def _said(record: Record) -> Iterator[Violation]:
    """The laws that frostline finds broken, for which tensors.

    What it excuses counts as said only of tensors that stood still: nothing here excuses that a frozen one moves. Of
    tensors that an error names it does not say as well, with less weight, that they went back.
    """
    for finding in record.findings:
        yield from _of_tensors(finding)
        if finding.severity == "error":
            yield from (("L7", name.partition(".")[2]) for name in finding.tensors)
        if finding.severity == "error" and LAW_OF[finding.rule] in LAW_OF_STILLNESS:
            yield "L2", MODEL
    for excused in record.excused:
        if excused.law in LAW_OF_STILLNESS:
            yield "L2", excused.tensor.partition(".")[2]


def _names_of(law: str, name: str) -> set[Violation]:
    """The violations that a cause of this law may explain."""
    return {(each, name) for each in (LAW_OF_STILLNESS if law in LAW_OF_STILLNESS else {law})}


def _of_tensors(finding: Finding) -> Iterator[Violation]:
    law = LAW_OF[finding.rule]
    for name in finding.tensors:
        yield law, name.partition(".")[2]
        if law in LAW_OF_STILLNESS:
            yield "L2", name.partition(".")[2]


def _said_of_optimizers(record: Record, copies: Copies) -> Iterator[Violation]:
    """Optimizers whose steps are said to move nothing: by themselves, or in findings about all that they hold."""
    errors = [each for each in record.findings if each.severity == "error"]
    still = {name for law, name in _said(record) if law == "L2"}
    grave = {name for each in errors for law, name in _of_tensors(each) if law == "L2"}
    for index, names in enumerate(copies.held):
        held = {name for name in names if name and copies.moments[-1][name].trainable}
        if held <= still and held & grave:
            yield "L4", optimizer(index)
    for finding in errors:
        yield from _of_optimizer(finding, record)


def _grave(finding: Finding, record: Record) -> Iterator[Violation]:
    law = LAW_OF[finding.rule]
    yield from ((law, name.partition(".")[2]) for name in finding.tensors)
    if law == "L4":
        yield from _of_optimizer(finding, record)


def _of_optimizer(finding: Finding, record: Record) -> Iterator[Violation]:
    order = [each.id for each in record.optimizers]
    about = finding.evidence.get("optimizer") or finding.evidence.get("found_in")
    held = {
        row.name for row in record.tensors if row.declared.trainable and about in {e.optimizer for e in row.optimizers}
    }
    if about in order and (not finding.tensors or held <= {*finding.tensors}):  # and not of some of what it holds
        yield LAW_OF[finding.rule], optimizer(order.index(str(about)))


def shrunk(found: Disagreement, run: Run) -> Disagreement:
    """The same disagreement in a smaller plan: without what can be left out of it."""
    for smaller in _smaller(found.plan):
        again = disagreement(smaller, run)
        if again is not None and (again.missed & found.missed or again.alarms & found.alarms):
            return shrunk(again, run)
    return found


def _smaller(of: Plan) -> Iterator[Plan]:
    for index in range(len(of.mutations)):
        yield replace(of, mutations=of.mutations[:index] + of.mutations[index + 1 :])
    for plainer in (
        replace(of, average=None),
        replace(of, optimizers=1),
        replace(of, schedule="constant"),
        replace(of, listed=False),
        replace(of, dtype="float32"),
        replace(of, tied=False),
        replace(of, accumulate=1),
        replace(of, saving="none"),
    ):
        if plainer != of:
            yield plainer
    for index, block in enumerate(of.blocks):
        if block.norm != "none":
            yield replace(of, blocks=(*of.blocks[:index], replace(block, norm="none"), *of.blocks[index + 1 :]))
    if of.steps > 6 and all(each.step < 6 for each in of.mutations):
        yield replace(of, steps=6)


def disagreements(plans: Iterable[Plan], run: Run) -> Iterator[Disagreement]:
    """Every plan of which the two sides do not see the same.

    What is imported by now is frozen: a check that looks through all objects for tensors need not walk through it.
    """
    gc.collect()
    gc.freeze()
    yield from (found for each in plans if (found := disagreement(each, run)) is not None)
