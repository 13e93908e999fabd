"""W: what an optimizer was told about its tensors, and what became of its state."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several
from frostline.core.events import LabelUnmatched, StateReset
from frostline.laws.causes.cause import Case, Cause, Mitigation, proven
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]


def _resets(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(StateReset):
        yield Case(
            [row for row, _ in run.holdings[event.optimizer]],
            f"{event.optimizer} began {several(event.times, 'time')} with its first state again: "
            + ("what its steps handed back was left" if event.state else "it is made anew inside each step"),
            {
                "optimizer": event.optimizer,
                "state": list(event.state[:3]),
                "times": event.times,
                "applied_at": event.origin.text if event.origin is not None else None,
            },
            mitigated=proven(RESET_ONCE, event),
        )


RESET_ONCE = (
    Mitigation[StateReset](
        "once",
        "A new phase may begin with new state.",
        lambda event: "it was seen once" if event.times <= 1 else None,
    ),
)
STATE_RESET = Cause(
    code="W408",
    slug="optimizer-state-reset",
    severity="error",
    law="L7",
    means="The optimizer's state begins again at every step: what a step hands back is never passed to the next.",
    matters="Momentum, moments and the count of steps are those of a first step for ever; the schedule stands still.",
    remedy="keep the new state: params, opt_state = step(params, opt_state, …), and call init once",
    tells_apart="The state that a step handed back had other bits, and the next step was handed the first ones again; "
    "or the trace shows that all of it is made inside the step.",
    mitigations=RESET_ONCE,
    cases=_resets,
)


def _unmatched(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(LabelUnmatched):
        label, have = " and ".join(map(repr, event.labels)), " and ".join(map(repr, event.used))
        freezing = ", which would freeze," if event.freezes else ""
        yield Case(
            [row for row in run.tensors if row.kind == "parameter"] if event.freezes else [],
            f"the label {label}{freezing} is on no tensor; all have {have}",
            {"labels": list(event.labels), "used": list(event.used)},
            mitigated=proven(GENERAL_RECIPE, event),
        )


GENERAL_RECIPE = (
    Mitigation[LabelUnmatched](
        "freezes nothing",
        "The label would not freeze: a general recipe may have labels that this model does not need.",
        lambda event: None if event.freezes else "its optimizer moves what it is given",
    ),
)
UNMATCHED = Cause(
    code="W409",
    slug="label-matches-nothing",
    severity="error",
    law="L12",
    means="An optimizer is chosen for each tensor by label, and one of the labels is on no tensor.",
    matters="What was to be frozen, or trained at a rate of its own, is trained with all the rest.",
    remedy="print the labels beside the names of the weights; a name in the label function is often misspelt",
    tells_apart="The labels that the optimizers were given for, compared with those that tensors have.",
    mitigations=GENERAL_RECIPE,
    cases=_unmatched,
)

CAUSES = (STATE_RESET, UNMATCHED)
