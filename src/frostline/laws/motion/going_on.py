"""L2, its second half: what moved goes on moving, as long as its optimizer steps."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several, tensors
from frostline.core.columns.standstill import Standstill
from frostline.core.ledger import FULL_PRECISION, HALF_UNIT, Gradient, Holding, OptimizerRow, TensorRow
from frostline.core.record import Severity
from frostline.laws.causes.cause import Evidence
from frostline.laws.causes.trainable.neighbours import Lists, in_lists, sibling
from frostline.laws.law import Violation, by_row
from frostline.laws.observed_run import ObservedRun
from frostline.laws.stepping import rate_zero_since

THIRD = 3
ENOUGH_VALUES = 16  # fewer may have found their place while others go on
ENOUGH = 8  # steps of its optimizer: layers that are dropped at random are left out for a few
NO_RATE = "its learning rate was 0"
REASONS = {"none": "no gradient arrived", "zero": "its gradient was zero", "nonzero": "though a gradient arrived"}
NOTHING = ("none", "zero")
CHANGED = "look at what changed in the script around that step: a loss term, a branch, a mask, the learning rate"
BROKEN = "find the first step whose loss is NaN or infinite: a rate too large, a narrow type, a logarithm or root of 0"
NOT_FINITE = "it holds values that are NaN or infinite, which no update moves"
NOT_SEEN = "its gradient was not seen"
UNBOUNDED = "though a gradient arrived; how large an update is, is not known of this optimizer"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Trainable tensors that moved and then stood still to the end, for a third of their optimizer's steps or more."""
    for optimizer in run.optimizers:
        if optimizer.by_hand or rate_zero_since(optimizer) is not None:  # that is a violation of L4
            continue
        held = [(row, holding) for row in run.tensors if (holding := _holding(row, optimizer)) is not None]
        stopped: dict[tuple[str, int, str], list[TensorRow]] = {}
        for row, holding in held:
            still = row.changed.still
            if still is not None and _is_long(row, still, optimizer):
                stopped.setdefault((row.model, still.since, _reason(row, holding, optimizer, still)), []).append(row)
        everything = len(held) == sum(map(len, stopped.values()))
        for (model, since, reason), rows in stopped.items():
            weight = _severity(reason, rows, everything=everything)
            yield _violation(model, since, reason, rows, optimizer, weight)


def _severity(reason: str, rows: list[TensorRow], *, everything: bool) -> Severity:
    """How grave it is; what may have converged, as nothing says otherwise, is a note.

    Of a matrix of which no bit moves while the optimizer goes on to move others, that cannot be.
    """
    if everything and reason in (NO_RATE, NOT_FINITE, REASONS["none"]):
        return "error"
    may_have_converged = everything or all(row.size < ENOUGH_VALUES for row in rows)
    return "note" if reason in (NOT_SEEN, UNBOUNDED) and may_have_converged else "warning"


def _violation(
    model: str, since: int, reason: str, rows: list[TensorRow], optimizer: OptimizerRow, severity: Severity
) -> Violation:
    moved = max(row.changed.still.moved for row in rows if row.changed.still is not None)
    steps = f"the last {several(optimizer.steps_executed - own_steps(optimizer, since), 'step')} of {optimizer.id}"
    fact = (
        f"{tensors(rows)} of {model} moved until step {moved:,} at least, and no bit of them since step {since:,}, in "
        f"{steps}: {reason}"
    )
    evidence: Evidence = {"tensor": rows[0].name, "moved_until_step": moved, "still_since_step": since}
    evidence["optimizer"] = optimizer.id
    return Violation(tuple(rows), fact, evidence, hint=BROKEN if reason == NOT_FINITE else CHANGED, severity=severity)


def _holding(row: TensorRow, optimizer: OptimizerRow) -> Holding | None:
    """How the optimizer holds the tensor, where that is declared trainable."""
    if row.kind != "parameter" or not row.declared.trainable or row.gone:
        return None
    return next((each for each in row.optimizers if each.optimizer == optimizer.id and each.listed), None)


def _is_long(row: TensorRow, still: Standstill, optimizer: OptimizerRow) -> bool:
    """Whether it was trainable all that time, through a third of the optimizer's steps and to the last of them."""
    steps = optimizer.steps_executed - own_steps(optimizer, still.since)
    to_the_end = still.until >= optimizer.last_step and not any(flip.step > still.since for flip in row.declared.flips)
    return to_the_end and steps >= ENOUGH and steps * THIRD >= optimizer.steps_executed


def own_steps(optimizer: OptimizerRow, step: int) -> int:
    """How many steps the optimizer had made after ``step`` steps of all; as of its last check until then.

    >>> own_steps(OptimizerRow("a", "optimizer", "Adam", checks=[1, 2, 4], checked_at=[2, 4, 8]), 5)
    2
    """
    made = [own for own, at in zip(optimizer.checks, optimizer.checked_at, strict=False) if at <= step]
    return made[-1] if made else 0


def _reason(row: TensorRow, holding: Holding, optimizer: OptimizerRow, still: Standstill) -> str:
    rates = [rate for at, rate in zip(optimizer.checked_at, optimizer.rates, strict=False) if at >= still.since]
    if holding.lr == 0 or (rates and set(rates) == {0}):
        return NO_RATE
    if not still.finite:
        return NOT_FINITE
    gradient = _gradient(row, still)
    if gradient == "nonzero" and holding.update_ulp is not None and holding.update_ulp <= HALF_UNIT:
        return f"its updates are lost in rounding in {row.dtype}"
    if gradient == "nonzero" and holding.update_ulp is None:
        return UNBOUNDED
    return REASONS.get(gradient, NOT_SEEN)


def _gradient(row: TensorRow, still: Standstill) -> Gradient:
    """What the last check found; where updates had no size at all, a gradient that is remembered is an earlier one."""
    bounds = [each.update_ulp for each in row.optimizers if each.update_ulp is not None] if still.finite else []
    return "zero" if still.gradient == "nonzero" and bounds and max(bounds) == 0 else still.gradient


@by_row
def converged(row: TensorRow, run: ObservedRun) -> str | None:
    """In full precision, what is left to learn is below the last place."""
    bounds = [each.update_ulp for each in row.optimizers if each.update_ulp is not None]
    still = row.changed.still
    if (
        still is None
        or not still.finite
        or _gradient(row, still) != "nonzero"
        or not bounds
        or row.dtype not in FULL_PRECISION
    ):
        return None
    small = max(bounds) <= HALF_UNIT and all(each.lr for each in row.optimizers)
    return f"converged: its updates are at most {max(bounds):.2g} of the last place of {row.dtype}" if small else None


@by_row
def unnamed_rows(row: TensorRow, run: ObservedRun) -> str | None:
    """An embedding whose rows no batch names has a gradient of zeros."""
    still = row.changed.still
    if still is None or row.owner.role != "embedding" or (gradient := _gradient(row, still)) not in NOTHING:
        return None
    return f"an embedding, of which no batch at the checks since step {still.since} named a row: {REASONS[gradient]}"


@by_row
def unrouted(row: TensorRow, run: ObservedRun) -> str | None:
    """Another of its list goes on: an expert or a head that the batches of late do not choose."""
    still = row.changed.still
    if still is None or (gradient := _gradient(row, still)) not in NOTHING:
        return None
    other = sibling(row, run.once(_moving_in_lists))
    return f"{other.name}, beside it in a list, goes on moving, and {REASONS[gradient]} here" if other else None


def _moving_in_lists(run: ObservedRun) -> Lists:
    return in_lists(run, lambda row: row.changed.verdict == "yes" and row.changed.still is None)


@by_row
def cancelled(row: TensorRow, run: ObservedRun) -> str | None:
    """The loss does not depend on it any longer, as on a bias where the loss is a difference of two outputs."""
    still = row.changed.still
    if still is None or _gradient(row, still) != "zero":
        return None
    for other in run.beside(row):
        if other.kind == "parameter" and other.changed.verdict == "yes" and other.changed.still is None:
            return f"{other.name}, of the same module, goes on moving, and the gradient was exactly zero here"
    return None
