"""L4: a step that was executed moves something of what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.events import TrainingCallEmpty
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.causes.optimizers import scaled_on_one_side
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.observed_run import ObservedRun, left_idle

THIRD = 3
ENOUGH = 2  # checks that saw no rate: the last check alone may be the end of a schedule
SCHEDULE = "give the schedule as many steps as the optimizer makes: one for each optimizer.step(), not for each batch"

EPOCHS = "epochs is the number of the last epoch and not how many follow: epochs=initial_epoch + more"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Optimizers whose steps moved no bit of what they hold, or none since some step, and calls without a step."""
    yield from _empty_calls(run)
    yield from _scaled_steps(run)
    handed_back, idle = _handed_back(run), left_idle(run)
    for optimizer in run.optimizers:
        asked = optimizer.steps_executed + optimizer.steps_skipped or optimizer.backwards
        if optimizer.by_hand or asked < run.patience or optimizer.id in idle:
            continue
        held = [row for row in run.held_by(optimizer.id) if row.declared.trainable]
        if held and all(row.changed.verdict == "no" for row in held):
            fact = (
                f"{_done(optimizer)} of {optimizer.id} moved nothing: all {tensors(held)} that it holds did not change"
            )
            evidence: Evidence = {"optimizer": optimizer.id, "steps": optimizer.steps_executed}
            unassigned = all(handed_back(row) for row in held)
            yield Violation(tuple(held), fact, evidence, whole=not unassigned)
        elif (stopped := rate_zero_since(optimizer)) is not None and any(map(_has_stopped, held)):
            last, first = stopped
            steps = f"the last {several(optimizer.steps_executed - first + 1, 'step')} of {optimizer.id}"
            fact = f"{steps} moved nothing: its learning rate was 0, and last seen otherwise at its step {last:,}"
            evidence = {"optimizer": optimizer.id, "steps": optimizer.steps_executed, "rate_zero_at_step": first}
            yield Violation(tuple(held), fact, evidence, hint=SCHEDULE, apart=True)


def _empty_calls(run: ObservedRun) -> Iterator[Violation]:
    """Calls of ``fit`` that ran no epoch."""
    for call in run.events_of(TrainingCallEmpty):
        rows = tuple(run.named[name] for name in call.tensors if name in run.named)
        if rows:
            span = f": it was to go from epoch {call.first_epoch} to {call.epochs}" if call.first_epoch else ""
            fact = f"fit of {call.model} made no step after step {call.step:,} of the run{span}"
            line = call.origin.place if call.origin is not None else None
            evidence: Evidence = {"called_by": line, "initial_epoch": call.first_epoch, "epochs": call.epochs}
            yield Violation(rows, fact, evidence, hint=EPOCHS, apart=True)


def _scaled_steps(run: ObservedRun) -> Iterator[Violation]:
    """Steps that are a scale too large or too small: what they move is not what was asked for."""
    for case in scaled_on_one_side(run):
        if case.mitigated is not None:
            continue
        rows = tuple(row for row in case.tensors if isinstance(row, TensorRow))
        yield Violation(rows, case.message, case.evidence, hint=case.hint)


def _done(optimizer: OptimizerRow) -> str:
    """What should have moved something: its steps, those that were skipped, or the backward passes before them."""
    if optimizer.steps_executed:
        return several(optimizer.steps_executed, "step")
    if optimizer.steps_skipped:
        return several(optimizer.steps_skipped, "skipped step")
    return several(optimizer.backwards, "backward pass", "backward passes") + " without a step"


def _has_stopped(row: TensorRow) -> bool:
    """Whether it moved, and no bit of it did of late: Keras' SGD goes on by its momentum at a rate of 0."""
    return row.changed.still is not None


def rate_zero_since(optimizer: OptimizerRow) -> tuple[int, int] | None:
    """The last of its steps that was seen with a learning rate and the first seen without, for a third of them or more.

    A schedule that reaches 0 with the last steps is healthy.
    """
    nonzero = [step for step, rate in zip(optimizer.checks, optimizer.rates, strict=False) if rate != 0]
    zero = [step for step in optimizer.checks if not nonzero or step > nonzero[-1]]
    if not nonzero or len(zero) < ENOUGH or (optimizer.steps_executed - zero[0]) * THIRD < optimizer.steps_executed:
        return None
    return nonzero[-1], zero[0]


@by_row
def _handed_back(row: TensorRow, run: ObservedRun) -> str | None:
    if row.optimizers and all(holding.unassigned for holding in row.optimizers):
        return f"{row.optimizers[0].optimizer} hands back new values, which the script keeps itself"
    return None


LAW = Law(
    "L4",
    "stepping",
    "error",
    statement="A step that was executed moves at least one bit of what it holds, and a call of fit executes one.",
    matters="The run ends normally, the loss is logged, and the model is the one that it started from.",
    remedy="look at the loss first: a constant, masked or detached one gives every weight a zero gradient; then at the "
    "learning rate",
    needs=(facts.OptimizerSeen, facts.Held, facts.Compared, facts.Moved, facts.TrainingCallEmpty),
    cannot_see="A loop of the script's own that executed no step at all; what a schedule does between two checks.",
    beside=("L2", "L3", "L10"),
    excuses=(Excuse("handed back", "The script keeps the new values.", _handed_back),),
    violations=violations,
)
