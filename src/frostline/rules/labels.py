"""W: what an optimizer was told about its tensors, and what became of its state."""

from __future__ import annotations

from frostline.core.events import LabelUnmatched, StateReset
from frostline.core.ledger import Ledger
from frostline.core.record import Finding
from frostline.rules.rule import Rule, several

STATE_RESET = Rule(
    "W408",
    "optimizer-state-reset",
    "error",
    "L7",
    means="The optimizer's state begins again at every step: what a step hands back is never passed to the next.",
    matters="Momentum, moments and the count of steps are those of a first step for ever; the schedule stands still.",
    remedy="keep the new state: params, opt_state = step(params, opt_state, …), and call init once",
    tells_apart="The state that a step handed back had other bits, and the next step was handed the first ones again.",
)
UNMATCHED = Rule(
    "W409",
    "label-matches-nothing",
    "error",
    "L12",
    means="An optimizer is chosen for each tensor by label, and one of the labels is on no tensor.",
    matters="What was to be frozen, or trained at a rate of its own, is trained with all the rest.",
    remedy="print the labels beside the names of the weights; a name in the label function is often misspelt",
    tells_apart="The labels that the optimizers were given for, compared with those that tensors have. A note where "
    "the label would not freeze: a general recipe may have labels that this model does not need.",
)

RULES = (STATE_RESET, UNMATCHED)


def find(ledger: Ledger) -> list[Finding]:
    """State that was reset, and labels without a tensor."""
    return [
        *(_reset(event, ledger) for event in ledger.events_of(StateReset)),
        *(_unmatched(event, ledger) for event in ledger.events_of(LabelUnmatched)),
    ]


def _reset(event: StateReset, ledger: Ledger) -> Finding:
    held = [row for row in ledger.tensors if any(holding.optimizer == event.optimizer for holding in row.optimizers)]
    return STATE_RESET.found(
        held,
        f"{event.optimizer} began {several(event.times, 'time')} with its first state again: what its steps handed "
        "back was left",
        {"optimizer": event.optimizer, "state": list(event.state[:3]), "times": event.times},
        severity=None if event.times > 1 else "note",
    )


def _unmatched(event: LabelUnmatched, ledger: Ledger) -> Finding:
    label, have = " and ".join(map(repr, event.labels)), " and ".join(map(repr, event.used))
    freezing = ", which would freeze," if event.freezes else ""
    return UNMATCHED.found(
        [row for row in ledger.tensors if row.kind == "parameter"] if event.freezes else [],
        f"the label {label}{freezing} is on no tensor; all have {have}",
        {"labels": list(event.labels), "used": list(event.used)},
        severity=None if event.freezes else "note",
    )
