"""T, for whole programs: steps that were skipped, never made, or trained nothing."""

from __future__ import annotations

from frostline.core.events import ModulesRecreated
from frostline.core.ledger import LeafRow, Ledger, Program
from frostline.core.record import Finding, Severity
from frostline.rules.rule import Evidence, Rule, several, tensors

SKIPPED = Rule(
    "T207",
    "steps-skipped",
    "error",
    means="All or most steps of the program were skipped.",
    matters="In mixed precision a step with an overflow is dropped without a word.",
    remedy="look at the loss scale and at what makes the gradients infinite",
    tells_apart="The scaler was asked to step and the optimizer's step did not run.",
)
NOTHING = Rule(
    "T208",
    "nothing-trained",
    "error",
    means="A program executed steps and no leaf changed: it holds nothing that can change, or what it handed back was "
    "never put in place.",
    matters="The run ends normally, the loss is logged, and the model is the one you started from.",
    remedy="look at what the optimizer was given and at the flags when it was made",
    tells_apart="It concerns the whole program; a cause that explains each leaf is told instead.",
)
UNREGISTERED = Rule(
    "T210",
    "unregistered-tensor",
    "error",
    means="A parameter that the forward pass uses is in no model's parameters: kept in a plain list or alone.",
    matters="No optimizer that is given model.parameters() will ever see it, and it is not saved.",
    remedy="use ModuleList, ModuleDict, ParameterList, or register it as an attribute",
    tells_apart="Backward reached it; no module lists it and no program holds it.",
)
MOSTLY = 0.9


def find(ledger: Ledger, explained: set[str]) -> list[Finding]:
    """Programs that trained nothing, where the leaves themselves do not explain it.

    Args:
        ledger: what was seen.
        explained: names of leaves that a finding already explains.
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
    for program in ledger.programs:
        if unread(program):
            continue
        held = [leaf for leaf in ledger.leaves if any(w.program == program.id and w.listed for w in leaf.wired)]
        if mostly_skipped(program):
            if not any(leaf.name in explained for leaf in held):
                found.append(_skipped(program, held))
        elif not program.steps_executed and program.backwards >= ledger.patience:
            found.extend(_never_stepped(program, [leaf for leaf in held if leaf.name not in explained]))
        elif program.kind == "optimizer" and program.steps_executed and not program.orphans and not program.by_hand:
            trainable = [leaf for leaf in held if leaf.declared.trainable]
            moved = [leaf for leaf in held if leaf.changed.verdict != "no"]
            ever = [leaf for leaf in held if leaf.declared.first or leaf.declared.flip_count]
            if not moved and not ever and not trainable:
                found.append(_nothing(program, held, ledger))
    return found


def _never_stepped(program: Program, held: list[LeafRow]) -> list[Finding]:
    """Gradients were computed for what the optimizer holds, and nobody ever applied them.

    What moved all the same, before any step, was written by the script: from a search that makes its own steps, say.
    """
    still = [
        leaf
        for leaf in held
        if leaf.declared.trainable and leaf.changed.verdict == "no" and leaf.reached_by_backward
        if not leaf.changed.before_training
    ]
    alone = [leaf for leaf in still if len(leaf.wired) == 1]
    if not alone:
        return []
    passes = several(program.backwards, "backward pass", "backward passes")
    window = next((group["accumulates"] for group in program.groups if group.get("accumulates")), None)
    why = f", because it accumulates {window} of them" if window else ""
    fact = f"{program.id} never stepped in {passes}{why}: {tensors(alone)} kept every bit"
    evidence: Evidence = {
        "program": program.id,
        "steps": 0,
        "backward_passes": program.backwards,
        "accumulates": window,
    }
    return [NOTHING.found(alone, fact, evidence)]


def _skipped(program: Program, held: list[LeafRow]) -> Finding:
    asked = program.steps_executed + program.steps_skipped
    return SKIPPED.found(
        held,
        f"{program.id} skipped {program.steps_skipped} of {several(asked, 'step')}",
        {"program": program.id, "executed": program.steps_executed, "skipped": program.steps_skipped},
    )


def _nothing(program: Program, held: list[LeafRow], ledger: Ledger) -> Finding:
    why = "it holds no tensor" if not held else f"all {tensors(held)} it holds are declared frozen"
    severity: Severity = "error" if program.steps_executed >= ledger.patience else "note"
    return NOTHING.found(
        held,
        f"{program.id} executed {several(program.steps_executed, 'step')} and nothing changed: {why}",
        {"program": program.id, "steps": program.steps_executed, "groups": len(program.groups)},
        severity=severity,
    )


def unread(program: Program) -> bool:
    """Whether the program stepped and could at no step be looked at: then nothing is known of what it holds."""
    return program.steps_executed > 0 and not program.checks


def mostly_skipped(program: Program) -> bool:
    """Whether nine in ten of the steps asked for did not run."""
    asked = program.steps_executed + program.steps_skipped
    return program.steps_skipped > 0 and program.steps_skipped >= MOSTLY * asked
