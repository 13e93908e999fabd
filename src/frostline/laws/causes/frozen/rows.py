"""F111: rows that were to stay and moved."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several
from frostline.core.events import ZerosFilled
from frostline.core.ledger import RowsSeen, TensorRow
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation, proven
from frostline.laws.observed_run import ObservedRun

ENOUGH_CHECKS = 2


def _cases(run: ObservedRun) -> Iterator[Case]:
    """Rows that broke what was expected, or what a mask on the gradient says."""
    for row in run.tensors:
        for seen in row.rows:
            if seen.moved and seen.expected != "trained":
                yield Case([row], _message(row, seen), evidence(row, seen), mitigated=proven(MITIGATIONS, seen))


def _message(row: TensorRow, seen: RowsSeen) -> str:
    where = f"rows {', '.join(seen.ranges)}"
    what = f"{seen.moved:,} of {several(seen.compared, seen.unit)} of {row.name} ({where})"
    by = f", by {_mover(seen)}" if seen.place == "step" else ""
    if seen.expected is not None:
        return f"{what} expected frozen ({seen.pattern}) moved (first seen at step {seen.first_step}{by})"
    return f"{what} moved although {seen.how} had set their gradient to zero (first seen at step {seen.first_step}{by})"


def _mover(seen: RowsSeen) -> str:
    """What can move a row without a gradient."""
    if seen.ratio is not None and seen.weight_decay:
        return f"weight decay of {seen.optimizer}"
    if seen.expected is None and seen.weight_decay and seen.state:
        return f"weight decay or momentum of {seen.optimizer}"
    if seen.expected is None and seen.state:
        return f"momentum of {seen.optimizer}"
    return f"{seen.optimizer}"


def evidence(row: TensorRow, seen: RowsSeen) -> Evidence:
    """What was seen of rows of a tensor."""
    return {
        "tensor": row.name,
        "pattern": seen.pattern,
        "compared": f"{several(seen.compared, seen.unit)} of shape {tuple(row.shape)}",
        "moved": seen.moved,
        "rows": seen.ranges or None,
        "masked_by": seen.how,
        "masked_at_checks": seen.checks or None,
        "place": seen.place,
        "optimizer": seen.optimizer,
        "lr": seen.lr,
        "weight_decay": seen.weight_decay,
        "optimizer_state": seen.state,
        "factor": seen.ratio,
        "first_step": seen.first_step,
    }


MITIGATIONS = (
    Mitigation[RowsSeen](
        "seen once",
        "No pattern names the rows, and the mask was seen at one check alone: it may be a coincidence.",
        lambda seen: "their gradient was zero at 1 check" if _masked(seen) and seen.checks < ENOUGH_CHECKS else None,
    ),
    Mitigation[RowsSeen](
        "by a mask",
        "No pattern names the rows: that they should stay is concluded from a gradient that was set to zero.",
        lambda seen: f"{seen.how} set their gradient to zero at {seen.checks} checks" if _masked(seen) else None,
        severity="warning",
    ),
)


def _masked(seen: RowsSeen) -> bool:
    return seen.expected is None


ROWS = Cause(
    code="F111",
    slug="frozen-rows-changed",
    severity="error",
    law="L1",
    means="Rows or elements expected to stay have other bits, though only the rest of their tensor should train.",
    matters="The vectors of the old vocabulary drift while only new ones should learn; the old model is gone.",
    remedy="give the tensor its own group with weight_decay=0 and no old state, or write its rows back after steps",
    tells_apart="You named the rows, or the script zeroed a gradient that autograd had made for them, and they moved in"
    " the step all the same; rows of an embedding that nobody used get no gradient to begin with.",
    mitigations=MITIGATIONS,
    cases=_cases,
)


def _filled(run: ObservedRun) -> Iterator[Case]:
    """Weights whose zeros steps filled again, those of one moment together."""
    moments: dict[tuple[int, str, int], list[ZerosFilled]] = {}
    for event in run.events_of(ZerosFilled):
        moments.setdefault((event.step, event.act, event.held), []).append(event)
    for (step, act, held), events in moments.items():
        zeros, left = sum(event.zeros for event in events), sum(event.left for event in events)
        names = [name for event in events for name in event.tensors]
        whose = f"of {several(zeros, 'value')} of {several(len(names), 'tensor')} that were zero after step {step:,}"
        by = "when a pruning was made permanent" if act == "pruned" else "set so outside of every step"
        yield Case(
            names,
            f"{whose}, {by}, {left:,} are zero at the end: steps moved the others",
            {"zeros": zeros, "left": left, "since_step": step, "by": act, "held": held or None},
            mitigated=proven((HELD,), held),
        )


HELD = Mitigation[int](
    "held before",
    "The zeros were kept through steps, and released then: training that is dense again after a sparse phase.",
    lambda held: f"they stayed zero through {several(held, 'step')} first" if held else None,
    hint="where that was not meant, keep the mask until the last step",
)
ZEROS = Cause(
    code="F114",
    slug="frozen-zeros-changed",
    severity="warning",
    law="L1",
    means="Values were set to zero, as pruning does, and further steps gave them other values.",
    matters="The network is as dense as before: it was trained without what had been pruned for a moment only.",
    remedy="keep the mask while training goes on (prune.remove comes after the last step), or apply it after each step",
    tells_apart="Single values all over a weight became zero between two phases of training, and most are not at the "
    "end; whole rows and columns of zeros are new ones, or cut off.",
    mitigations=(HELD,),
    cases=_filled,
)
