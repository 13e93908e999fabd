"""T: tensors that did not change, and why, where the trace of a functional train step or its results show it."""

from __future__ import annotations

from frostline.core.events import ResultDropped, UpdateShown
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Severity
from frostline.rules.rule import Rule

RESULT_DROPPED = Rule(
    "T213",
    "result-dropped",
    "error",
    "L4",
    means="A step computed new values of the tensor, and they were never put in place.",
    matters="The loss is computed, the optimizer runs, and every step begins with the weights of the first.",
    remedy="return the updated weights from the step, and pass them to the next call: params, state = step(params, …)",
    tells_apart="The trace shows that the new value reaches no result of the compiled function, or each next call was "
    "handed the bits from before the step.",
)
CAPTURED = Rule(
    "T214",
    "captured-as-constant",
    "error",
    "L3",
    means="The step was compiled with the weights as constants: they are no argument of the function.",
    matters="Every call begins with the weights of the first, whatever the script does with the results.",
    remedy="pass the weights as an argument of the compiled function, instead of reading a variable from outside",
    tells_apart="In the trace updates are applied to constants. Weights that a loss only reads, such as those of a "
    "reference model, are captured on purpose.",
)
GRADIENT_UNUSED = Rule(
    "T215",
    "gradient-not-used",
    "error",
    "L2",
    means="A loss was differentiated by the tensor, and its new value does not depend on the gradient.",
    matters="The gradient is computed and thrown away: the tensor stays, or is moved by something else.",
    remedy="use the gradients in the update; differentiate only by what is to be trained",
    tells_apart="Proven from the trace of the step. A note where the rest of the model is trained: freezing by hand.",
)

RULES = (RESULT_DROPPED, CAPTURED, GRADIENT_UNUSED)


def shown(row: TensorRow, what: str, ledger: Ledger) -> UpdateShown | None:
    """The fact that shows this of the tensor, or None."""
    return next(
        (each for each in ledger.events_of(UpdateShown) if each.shows == what and row.name in each.tensors), None
    )


def cause(row: TensorRow, ledger: Ledger) -> tuple[Rule, Severity, str] | None:
    """What explains that a tensor which should be trained was not; how grave that is, and the step concerned."""
    unused = shown(row, "gradient-unused", ledger)
    if row.changed.verdict == "yes":
        moved = unused is not None and f"{unused.optimizer} step" in row.changed.during
        return (GRADIENT_UNUSED, "error", unused.optimizer) if unused is not None and moved else None
    captured = shown(row, "captured", ledger)
    if captured is not None:
        return CAPTURED, "error", captured.optimizer
    kept_inside = shown(row, "not-returned", ledger)
    if kept_inside is not None:
        return RESULT_DROPPED, "error", kept_inside.optimizer
    dropped = next((each for each in ledger.events_of(ResultDropped) if row.name in each.tensors), None)
    if dropped is not None:
        return RESULT_DROPPED, "error" if dropped.times > 1 else "note", dropped.optimizer
    if unused is not None and row.changed.verdict == "no":
        return GRADIENT_UNUSED, "note" if _trains(unused.optimizer, ledger) else "error", unused.optimizer
    return None


def _trains(optimizer: str, ledger: Ledger) -> bool:
    """Whether the step updates any tensor with a gradient."""
    return any(
        holding.optimizer == optimizer and holding.listed for row in ledger.tensors for holding in row.optimizers
    )
