"""F111 and its opposite: rows that were to stay and moved, rows that were to be trained and did not."""

from __future__ import annotations

from frostline.core.ledger import Ledger, RowsSeen, TensorRow
from frostline.core.record import Finding, Severity
from frostline.rules.expectations import UNCHANGED
from frostline.rules.rule import Evidence, Rule, several

ROWS = Rule(
    "F111",
    "frozen-rows-changed",
    "error",
    "L1",
    means="Rows or elements expected to stay have other bits, though only the rest of their tensor should train.",
    matters="The vectors of the old vocabulary drift while only new ones should learn; the old model is gone.",
    remedy="give the tensor its own group with weight_decay=0 and no old state, or write its rows back after steps",
    tells_apart="You named the rows, or the script zeroed a gradient that autograd had made for them, and they moved in"
    " the step all the same; rows of an embedding that nobody used get no gradient to begin with.",
)

RULES = (ROWS,)
ENOUGH_CHECKS = 2


def find(ledger: Ledger) -> list[Finding]:
    """One finding for each tensor whose rows broke what was expected or what a mask on the gradient says."""
    found = []
    for row in ledger.tensors:
        for seen in row.rows:
            if seen.expected == "trained":
                if not seen.moved and row.changed.verdict != "unknown":
                    found.append(UNCHANGED.found([row], _still(row, seen), _evidence(row, seen)))
            elif seen.moved:
                found.append(ROWS.found([row], _moved(row, seen), _evidence(row, seen), severity=_severity(seen)))
    return found


def _severity(seen: RowsSeen) -> Severity:
    """What the user said is broken; what a mask seems to say, seen at one check alone, may be a coincidence."""
    if seen.expected is not None:
        return "error"
    return "warning" if seen.checks >= ENOUGH_CHECKS else "note"


def _moved(row: TensorRow, seen: RowsSeen) -> str:
    where = f"rows {', '.join(seen.ranges)}"
    what = f"{seen.moved:,} of {several(seen.compared, seen.unit)} of {row.name} ({where})"
    by = f", by {_cause(seen)}" if seen.place == "step" else ""
    if seen.expected is not None:
        return f"{what} expected frozen ({seen.pattern}) moved (first seen at step {seen.first_step}{by})"
    return f"{what} moved although {seen.how} had set their gradient to zero (first seen at step {seen.first_step}{by})"


def _cause(seen: RowsSeen) -> str:
    """What can move a row without a gradient."""
    if seen.ratio is not None and seen.weight_decay:
        return f"weight decay of {seen.optimizer}"
    if seen.expected is None and seen.weight_decay and seen.state:
        return f"weight decay or momentum of {seen.optimizer}"
    if seen.expected is None and seen.state:
        return f"momentum of {seen.optimizer}"
    return f"{seen.optimizer}"


def _still(tensor_row: TensorRow, seen: RowsSeen) -> str:
    return f"{several(seen.compared, 'row')} of {tensor_row.name} expected trained ({seen.pattern}) did not change"


def _evidence(row: TensorRow, seen: RowsSeen) -> Evidence:
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
