"""T: causes that the trace of a functional train step, or its results, show."""

from __future__ import annotations

from frostline.core.events import ResultDropped
from frostline.laws.causes.cause import Mitigation
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether


def _captured(still: Still) -> Explained | None:
    captured = still.run.shown(still.row, "captured")
    return Explained(captured.optimizer) if captured is not None and still.row.changed.verdict != "yes" else None


CAPTURED = StillCause(
    code="T214",
    slug="captured-as-constant",
    severity="error",
    law="L3",
    means="The step was compiled with the weights as constants: they are no argument of the function.",
    matters="Every call begins with the weights of the first, whatever the script does with the results.",
    remedy="pass the weights as an argument of the compiled function, instead of reading a variable from outside",
    tells_apart="In the trace updates are applied to constants. Weights that a loss only reads, such as those of a "
    "reference model, are captured on purpose.",
    explains=_captured,
    says=lambda still: f"{still.what} did not change: {still.explained.optimizer} was compiled with them as constants",
)

NOT_RETURNED = "computes new values and does not return them"


def _dropped(still: Still) -> Explained | None:
    if still.row.changed.verdict == "yes":
        return None
    inside = still.run.shown(still.row, "not-returned")
    if inside is not None:
        return Explained(inside.optimizer, why=NOT_RETURNED)
    event = _left(still)
    return Explained(event.optimizer) if event is not None else None


def _left(still: Still) -> ResultDropped | None:
    return next((each for each in still.run.events_of(ResultDropped) if still.row.name in each.tensors), None)


def _once(still: Still) -> str | None:
    event = _left(still)
    once = event is not None and event.times <= 1 and still.run.shown(still.row, "not-returned") is None
    return "it was seen once: a step may be tried and taken back" if once else None


def _where_it_was_left(still: StillTogether) -> str:
    optimizer = still.explained.optimizer
    if still.explained.why:
        return f"{still.what} did not change: {optimizer} {still.explained.why}"
    return f"{still.what} did not change: each next call of {optimizer} was handed the values from before the step"


RESULT_DROPPED = StillCause(
    code="T213",
    slug="result-dropped",
    severity="error",
    law="L4",
    means="A step computed new values of the tensor, and they were never put in place.",
    matters="The loss is computed, the optimizer runs, and every step begins with the weights of the first.",
    remedy="return the updated weights from the step, and pass them to the next call: params, state = step(params, …)",
    tells_apart="The trace shows that the new value reaches no result of the compiled function, or each next call was "
    "handed the bits from before the step.",
    explains=_dropped,
    says=_where_it_was_left,
    mitigations=(Mitigation("once", "One result was dropped, and no other.", _once),),
)


def _unused(still: Still) -> Explained | None:
    unused, changed = still.run.shown(still.row, "gradient-unused"), still.row.changed
    if unused is None or changed.verdict == "unknown":
        return None
    if changed.verdict == "yes" and f"{unused.optimizer} step" not in changed.during:
        return None
    return Explained(unused.optimizer, why=changed.verdict)


def _by_hand(still: Still) -> str | None:
    """The step updates other tensors with a gradient, and this one stayed: freezing by hand."""
    unused = still.run.shown(still.row, "gradient-unused")
    trains = unused is not None and bool(still.run.held_by(unused.optimizer))
    return "the step updates other tensors by their gradients" if trains and still.row.changed.verdict == "no" else None


def _how_unused(still: StillTogether) -> str:
    if still.explained.why == "yes":
        return f"{still.what} moved{still.by}, and not by their gradient: their new values do not depend on it"
    return (
        f"{still.what} did not change: {still.explained.optimizer} differentiates a loss by them and does not use the "
        "gradient"
    )


GRADIENT_UNUSED = StillCause(
    code="T215",
    slug="gradient-not-used",
    severity="error",
    law="L2",
    means="A loss was differentiated by the tensor, and its new value does not depend on the gradient.",
    matters="The gradient is computed and thrown away: the tensor stays, or is moved by something else.",
    remedy="use the gradients in the update; differentiate only by what is to be trained",
    tells_apart="Proven from the trace of the step.",
    explains=_unused,
    says=_how_unused,
    mitigations=(
        Mitigation("frozen by hand", "The step trains the rest of the model and leaves this one out.", _by_hand),
    ),
)
