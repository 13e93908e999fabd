"""W: the wiring between programs and leaves."""

from __future__ import annotations

from frostline.core.events import (
    AverageMisplaced,
    Event,
    GradientLeft,
    NetworkContinued,
    StateMisshapen,
    SteppedTogether,
)
from frostline.core.ledger import LeafRow, Ledger, Program
from frostline.core.record import Finding
from frostline.rules.rule import Rule, several, tensors

FROZEN_HELD = Rule(
    "W401",
    "frozen-in-optimizer",
    "note",
    means="A frozen leaf is held by an optimizer.",
    matters="Harmless while it has no gradient; decay, momentum or a left-over gradient would move it.",
    remedy="give the optimizer only the parameters that require a gradient",
    tells_apart="Nothing moved: as soon as something does, F101 to F103 say what.",
)
HELD_TWICE = Rule(
    "W402",
    "held-twice",
    "warning",
    means="One leaf is updated by two programs in the same phase: two steps on one backward pass.",
    matters="It gets twice the learning rate, or two different rules at once.",
    remedy="give each parameter to one optimizer",
    tells_apart="Two programs stepped one after the other on the same gradients of the same leaf.",
)
MISALIGNED = Rule(
    "W403",
    "optimizer-state-misaligned",
    "error",
    means="The program's state (moments, averages) belongs to other leaves than those it updates.",
    matters="Matched by position after flags or order changed, one layer is moved by another's history.",
    remedy="make a new optimizer after changing flags or order, and load state only into the same layout",
    tells_apart="The state's shape or the variable it was made for differs from the leaf it is applied to.",
)
OTHER_PROGRAM = Rule(
    "W404",
    "trained-by-another-program",
    "warning",
    means="A leaf that belongs to one network is updated by the step of another.",
    matters="The generator's step trains the discriminator; the student's step trains the teacher.",
    remedy="give each optimizer the parameters of its own network only",
    tells_apart="Its network has a program of its own (or is in eval mode as a whole), and another one moves it. A "
    "note where its own was over before, unless it is called a teacher: then it may be meant to be trained further.",
)
ACCUMULATE = Rule(
    "W405",
    "gradients-accumulate-across-programs",
    "warning",
    means="Gradients of one phase were still there in the next phase and were applied by another program's step.",
    matters="The discriminator's step applies what the generator's loss left behind.",
    remedy="clear the gradients of a network just before its own backward pass",
    tells_apart="Not accumulation: another program stepped in between, and did not share this backward pass.",
)
RUNS_EMPTY = Rule(
    "W406",
    "program-runs-empty",
    "error",
    means="The train step of a model captured no variable: it runs and trains nothing.",
    matters="Compile, then freeze, then train: since Keras 3 the flags are read at the first step, not at compile.",
    remedy="switch the flags around each phase yourself, or use a train_step with two optimizers",
    tells_apart="The step executed with an empty list of variables.",
)
MISPLACED_AVERAGE = Rule(
    "W407",
    "average-written-to-other-leaf",
    "error",
    means="An averaged copy was written into another leaf than the one it was taken from.",
    matters="A layer silently takes over the average of another layer's weights.",
    remedy="write averages back to the very list of weights they were taken from, or by name; "
    "in Keras, compile with a new optimizer after changing which layers are trainable",
    tells_apart="The written leaf and the averaged leaf differ by name; averages were matched by position.",
)

RULES = (FROZEN_HELD, HELD_TWICE, MISALIGNED, OTHER_PROGRAM, ACCUMULATE, RUNS_EMPTY, MISPLACED_AVERAGE)

FURTHER = "nothing to do where it is meant to be trained further; freeze it where it only measures or teaches"
FIXED_COPY_WORDS = ("teacher", "target", "reference", "ref_model", "ref_policy", "momentum_encoder")


def find(ledger: Ledger) -> list[Finding]:
    """Look at what each program holds and at the order of phases."""
    return [
        *_frozen_held(ledger),
        *(finding for event in ledger.events if (finding := _of_event(event)) is not None),
        *_misaligned(ledger),
        *_other_program(ledger),
        *_in_eval(ledger),
        *_empty(ledger),
    ]


def _frozen_held(ledger: Ledger) -> list[Finding]:
    found = []
    for program in ledger.programs:
        if program.kind != "optimizer":
            continue
        held = [
            leaf
            for leaf in ledger.leaves
            if leaf.declared.trainable is False
            and leaf.declared.flip_count <= 1
            and leaf.changed.verdict == "no"
            and any(wire.program == program.id and wire.listed for wire in leaf.wired)
        ]
        if held and len(held) < program.holds:
            found.append(
                FROZEN_HELD.found(
                    held,
                    f"{program.id} holds {tensors(held)} declared frozen; none of them moved",
                    {"program": program.id},
                )
            )
    return found


def _of_event(event: Event) -> Finding | None:
    """What a single event tells; one that is about no known tensor tells nothing."""
    match event:
        case SteppedTogether(tensors=tensors) if tensors:
            return _held_twice(event)
        case GradientLeft(tensors=tensors, together=False) if tensors:  # else they merely run at different paces
            return _accumulate(event)
        case AverageMisplaced():
            return _misplaced(event)
    return None


def _held_twice(event: SteppedTogether) -> Finding:
    one, two = event.other, event.optimizer
    return HELD_TWICE.found(
        event.tensors,
        f"{several(len(event.tensors), 'tensor')} were updated by {one} and by {two} on the same backward pass",
        {"programs": [one, two], "seen_at_step": event.step},
    )


def _accumulate(event: GradientLeft) -> Finding:
    program, other = event.optimizer, event.other
    many = several(len(event.tensors), "tensor")
    return ACCUMULATE.found(
        event.tensors,
        f"{program} applied gradients that were left in {many} by the phase of {other}",
        {"program": program, "left_by": other, "seen_at_step": event.step},
    )


def _misplaced(event: AverageMisplaced) -> Finding:
    return MISPLACED_AVERAGE.found(
        [event.written_to],
        f"the average of {event.average_of} was written into {event.written_to}",
        {"average_of": event.average_of, "written_to": event.written_to, "step": event.step},
    )


def _misaligned(ledger: Ledger) -> list[Finding]:
    found = [
        MISALIGNED.found(
            event.tensors,
            f"{event.optimizer} keeps state of another shape for {several(len(event.tensors), 'tensor')}",
            {"program": event.optimizer, "seen_at_step": event.step},
        )
        for event in ledger.events_of(StateMisshapen)
    ]
    for program in ledger.programs:
        pairs = [
            (leaf, wire.state_of)
            for leaf in ledger.leaves
            for wire in leaf.wired
            if wire.program == program.id and wire.state_of not in (None, leaf.name, *leaf.aliases)
        ]
        if pairs and program.steps_executed:
            found.append(
                MISALIGNED.found(
                    [leaf for leaf, _ in pairs],
                    f"{program.id} updates {several(len(pairs), 'tensor')} with the state of other tensors",
                    {
                        "program": program.id,
                        "state": [f"{leaf.name} with the state of {other}" for leaf, other in pairs],
                    },
                )
            )
    return found


def _other_program(ledger: Ledger) -> list[Finding]:
    """A whole network with a program of its own that also stands, entire, in the program of another network."""
    models: dict[str, list[LeafRow]] = {}
    for leaf in ledger.leaves:
        models.setdefault(leaf.model, []).append(leaf)
    held = {program.id: _models_held(program, ledger) for program in ledger.programs if program.steps_executed}
    found = []
    for program, several_models in held.items():
        for model in several_models if len(several_models) > 1 else ():
            own = [other for other, theirs in held.items() if other != program and theirs == {model}]
            rest = [other for other, theirs in held.items() if other != program and theirs == several_models - {model}]
            leaves = [leaf for leaf in models[model] if leaf.declared.trainable and _moved_by(leaf, program)]
            if own and not rest and leaves and _entire(models[model], program) and not _goes_on(model, program, ledger):
                further = _is_over(own, program, ledger) and not any(map(_fixed_copy, _names(leaves)))
                found.append(
                    OTHER_PROGRAM.found(
                        leaves,
                        f"{tensors(leaves)} of {model}, which {own[0]} trains, are updated by {program} as well",
                        {"program": program, "own_program": own[0], "models_of_program": sorted(several_models)},
                        severity="note" if further else None,
                        hint=FURTHER if further else None,
                    )
                )
    return found


def _is_over(own: list[str], program: str, ledger: Ledger) -> bool:
    """Whether the network's own programs had made their last step before the other one began."""
    began = ledger.program(program).checked_at
    return bool(began) and all(ledger.program(each).last_step < began[0] for each in own)


def _names(leaves: list[LeafRow]) -> list[str]:
    return [name for leaf in leaves for name in (leaf.name, *leaf.aliases)]


def _goes_on(model: str, program: str, ledger: Ledger) -> bool:
    """Whether the program also trains what stands behind the network: a head, with which it is trained further."""
    behind = {name for event in ledger.events_of(NetworkContinued) if event.network == model for name in event.tensors}
    return any(
        leaf.name in behind and any(w.program == program and w.listed for w in leaf.wired) for leaf in ledger.leaves
    )


def _entire(rows: list[LeafRow], program: str) -> bool:
    """Whether the program holds every trainable weight of the network: a shared part alone is no mistake."""
    weights = [leaf for leaf in rows if leaf.kind == "parameter" and leaf.declared.trainable]
    return all(any(wire.program == program and wire.listed for wire in leaf.wired) for leaf in weights)


def _models_held(program: Program, ledger: Ledger) -> set[str]:
    return {leaf.model for leaf in ledger.leaves if any(w.program == program.id and w.listed for w in leaf.wired)}


def _moved_by(leaf: LeafRow, program: str) -> bool:
    return f"{program} step" in leaf.changed.during or any(
        wire.program == program and wire.gradients.get("nonzero") for wire in leaf.wired
    )


def _in_eval(ledger: Ledger) -> list[Finding]:
    """A part that is called a teacher or target, is in eval mode as a whole, and is trained all the same."""
    parts: dict[tuple[str, str], list[LeafRow]] = {}
    in_training = {leaf.model for leaf in ledger.leaves if leaf.kind == "parameter" and leaf.declared.training}
    for leaf in ledger.leaves:
        part = _fixed_copy(leaf.name)
        if part and leaf.kind == "parameter":
            parts.setdefault((leaf.model, part), []).append(leaf)
    found = []
    for (model, part), leaves in parts.items():
        trained = [leaf for leaf in leaves if leaf.declared.trainable and _moved_in_step(leaf)]
        in_eval = all(leaf.declared.training is False for leaf in leaves)
        if trained and in_eval and model in in_training:
            program = trained[0].wired[0].program
            found.append(
                OTHER_PROGRAM.found(
                    trained,
                    f"{tensors(trained)} of {part} are trained by {program} while it is in eval mode",
                    {"part": part, "training_mode": False, "flag": True, "program": program},
                    severity="error",
                    hint=f"eval() does not freeze: call {part.rpartition('.')[2]}.requires_grad_(False)",
                )
            )
    return found


def _moved_in_step(leaf: LeafRow) -> bool:
    return any(move.place == "step" for move in leaf.changed.movements) and bool(leaf.wired)


def _fixed_copy(name: str) -> str | None:
    """The part of a dotted name up to the first piece that names a network meant to stay, or None."""
    pieces = name.split(".")[:-1]
    for index, piece in enumerate(pieces):
        if any(word in piece.lower() for word in FIXED_COPY_WORDS):
            return ".".join(pieces[: index + 1])
    return None


def _empty(ledger: Ledger) -> list[Finding]:
    found = []
    for program in ledger.programs:
        if program.kind == "compiled-step" and program.steps_executed and not program.holds:
            model = program.trains_model or program.id
            leaves = [leaf for leaf in ledger.leaves if leaf.kind == "parameter" and _belongs(leaf, model)]
            if leaves:
                ran = several(program.steps_executed, "time")
                found.append(
                    RUNS_EMPTY.found(
                        leaves,
                        f"the train step of {model} ran {ran} and captured nothing: 0 of {tensors(leaves)} can move",
                        {"program": program.id, "steps": program.steps_executed, "captured": 0},
                    )
                )
    return found


def _belongs(leaf: LeafRow, model: str) -> bool:
    return any(name == model or name.startswith(f"{model}.") for name in (leaf.name, *leaf.aliases))
