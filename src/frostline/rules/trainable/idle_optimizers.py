"""T, for whole optimizers: steps that were skipped, never made, or trained nothing."""

from __future__ import annotations

from frostline.core.events import ModulesRecreated
from frostline.core.ledger import Ledger, OptimizerRow, TensorRow
from frostline.core.record import Finding, Severity
from frostline.rules.rule import Evidence, Rule, several, tensors

SKIPPED = Rule(
    "T207",
    "steps-skipped",
    "error",
    "L4",
    means="All or most steps of the optimizer were skipped.",
    matters="In mixed precision a step with an overflow is dropped without a word.",
    remedy="look at the loss scale and at what makes the gradients infinite",
    tells_apart="The scaler was asked to step and the optimizer's step did not run.",
)
NOTHING = Rule(
    "T208",
    "nothing-trained",
    "error",
    "L4",
    means="An optimizer executed steps and no tensor changed: it holds nothing that can change, or what it handed "
    "back was never put in place.",
    matters="The run ends normally, the loss is logged, and the model is the one you started from.",
    remedy="look at what the optimizer was given and at the flags when it was made",
    tells_apart="It concerns the whole optimizer; a cause that explains each tensor is reported instead.",
)
UNREGISTERED = Rule(
    "T210",
    "unregistered-tensor",
    "error",
    "L10",
    means="A parameter that the forward pass uses is in no model's parameters: kept in a plain list or alone.",
    matters="No optimizer that is given model.parameters() will ever see it, and it is not saved.",
    remedy="use ModuleList, ModuleDict, ParameterList, or register it as an attribute",
    tells_apart="Backward reached it; no module lists it and no optimizer holds it.",
)
MOSTLY = 0.9


def find(ledger: Ledger, explained: set[str]) -> list[Finding]:
    """Optimizers that trained nothing, where the tensors themselves do not explain it.

    Args:
        ledger: what was seen.
        explained: names of tensors that a finding already explains.
    """
    remade = [_remade(event) for event in ledger.events_of(ModulesRecreated) if event.passes > 1]
    return remade + _programs(ledger, explained)


def _remade(event: ModulesRecreated) -> Finding:
    return UNREGISTERED.found(
        [],
        f"a new {event.type} with weights of its own is made in every forward pass; no optimizer can ever train it",
        {"module": event.type, "passes_seen": event.passes},
        hint="make the layer once, in the constructor, and keep it as an attribute",
    )


def _programs(ledger: Ledger, explained: set[str]) -> list[Finding]:
    found = []
    for optimizer in ledger.optimizers:
        if unread(optimizer):
            continue
        held = [row for row in ledger.tensors if any(w.optimizer == optimizer.id and w.listed for w in row.optimizers)]
        if mostly_skipped(optimizer):
            if not any(row.name in explained for row in held):
                found.append(_skipped(optimizer, held))
        elif not optimizer.steps_executed and optimizer.backwards >= ledger.patience:
            found.extend(_never_stepped(optimizer, [row for row in held if row.name not in explained]))
        elif (
            (optimizer.kind == "optimizer" or (optimizer.stateless and held))
            and optimizer.steps_executed
            and not optimizer.orphans
            and not optimizer.by_hand
        ):
            trainable = [row for row in held if row.declared.trainable]
            moved = [row for row in held if row.changed.verdict != "no"]
            ever = [row for row in held if row.declared.first or row.declared.flip_count]
            if not moved and not ever and not trainable:
                found.append(_nothing(optimizer, held, ledger))
    return found


def _never_stepped(optimizer: OptimizerRow, held: list[TensorRow]) -> list[Finding]:
    """Gradients were computed for what the optimizer holds, and nobody ever applied them.

    What moved all the same, before any step, was written by the script: from a search that makes its own steps, say.
    """
    still = [
        row
        for row in held
        if row.declared.trainable and row.changed.verdict == "no" and row.reached_by_backward
        if not row.changed.before_training
    ]
    alone = [row for row in still if len(row.optimizers) == 1]
    if not alone:
        return []
    passes = several(optimizer.backwards, "backward pass", "backward passes")
    window = next((group["accumulates"] for group in optimizer.groups if group.get("accumulates")), None)
    why = f", because it accumulates {window} of them" if window else ""
    fact = f"{optimizer.id} never stepped in {passes}{why}: {tensors(alone)} did not change"
    evidence: Evidence = {
        "optimizer": optimizer.id,
        "steps": 0,
        "backward_passes": optimizer.backwards,
        "accumulates": window,
    }
    return [NOTHING.found(alone, fact, evidence)]


def _skipped(optimizer: OptimizerRow, held: list[TensorRow]) -> Finding:
    asked = optimizer.steps_executed + optimizer.steps_skipped
    return SKIPPED.found(
        held,
        f"{optimizer.id} skipped {optimizer.steps_skipped} of {several(asked, 'step')}",
        {"optimizer": optimizer.id, "executed": optimizer.steps_executed, "skipped": optimizer.steps_skipped},
    )


def _nothing(optimizer: OptimizerRow, held: list[TensorRow], ledger: Ledger) -> Finding:
    why = "it holds no tensor" if not held else f"all {tensors(held)} it holds are declared frozen"
    severity: Severity = "error" if optimizer.steps_executed >= ledger.patience else "note"
    return NOTHING.found(
        held,
        f"{optimizer.id} executed {several(optimizer.steps_executed, 'step')} and nothing changed: {why}",
        {"optimizer": optimizer.id, "steps": optimizer.steps_executed, "groups": len(optimizer.groups)},
        severity=severity,
    )


def unread(optimizer: OptimizerRow) -> bool:
    """Whether the optimizer stepped and could at no step be looked at: then nothing is known of what it holds."""
    return optimizer.steps_executed > 0 and not optimizer.checks


def mostly_skipped(optimizer: OptimizerRow) -> bool:
    """Whether nine in ten of the steps asked for did not run."""
    asked = optimizer.steps_executed + optimizer.steps_skipped
    return optimizer.steps_skipped > 0 and optimizer.steps_skipped >= MOSTLY * asked
