"""W: what optimizers hold, and what they do with it."""

from __future__ import annotations

from frostline.core.events import (
    AverageMisplaced,
    Event,
    GradientLeft,
    NetworkContinued,
    StateMisshapen,
    SteppedTogether,
)
from frostline.core.ledger import Ledger, OptimizerRow, TensorRow
from frostline.core.record import Finding
from frostline.rules.rule import Rule, several, tensors

FROZEN_HELD = Rule(
    "W401",
    "frozen-in-optimizer",
    "note",
    "L3",
    means="A frozen tensor is held by an optimizer.",
    matters="Harmless while it has no gradient; decay, momentum or a left-over gradient would move it.",
    remedy="give the optimizer only the parameters that require a gradient",
    tells_apart="Nothing moved: as soon as something does, F101 to F103 say what.",
)
HELD_TWICE = Rule(
    "W402",
    "held-twice",
    "warning",
    "L3",
    means="One tensor is updated by two optimizers in the same phase: two steps on one backward pass.",
    matters="It gets twice the learning rate, or two different rules at once.",
    remedy="give each parameter to one optimizer",
    tells_apart="Two optimizers stepped one after the other on the same gradients of the same tensor.",
)
MISALIGNED = Rule(
    "W403",
    "optimizer-state-misaligned",
    "error",
    "L3",
    means="The optimizer's state (moments, averages) belongs to other tensors than those it updates.",
    matters="Matched by position after flags or order changed, one layer is moved by another's history.",
    remedy="make a new optimizer after changing flags or order, and load state only into the same layout",
    tells_apart="The state's shape or the variable it was made for differs from the tensor it is applied to.",
)
OTHER_OPTIMIZER = Rule(
    "W404",
    "trained-by-another-optimizer",
    "warning",
    "L3",
    means="A tensor that belongs to one network is updated by the step of another.",
    matters="The generator's step trains the discriminator; the student's step trains the teacher.",
    remedy="give each optimizer the parameters of its own network only",
    tells_apart="Its network has an optimizer of its own (or is in eval mode as a whole), and another one moves it. A "
    "note where its own was over before, unless it is called a teacher: then it may be meant to be trained further.",
)
ACCUMULATE = Rule(
    "W405",
    "gradients-accumulate-across-optimizers",
    "warning",
    "L3",
    means="Gradients of one phase were still there in the next phase and were applied by another optimizer's step.",
    matters="The discriminator's step applies what the generator's loss left behind.",
    remedy="clear the gradients of a network just before its own backward pass",
    tells_apart="Not accumulation: another optimizer stepped in between, and did not share this backward pass.",
)
RUNS_EMPTY = Rule(
    "W406",
    "optimizer-runs-empty",
    "error",
    "L4",
    means="The train step of a model captured no variable: it runs and trains nothing.",
    matters="Compile, then freeze, then train: since Keras 3 the flags are read at the first step, not at compile.",
    remedy="switch the flags around each phase yourself, or use a train_step with two optimizers",
    tells_apart="The step executed with an empty list of variables.",
)
MISPLACED_AVERAGE = Rule(
    "W407",
    "average-written-to-other-tensor",
    "error",
    "L6",
    means="An averaged copy was written into another tensor than the one it was taken from.",
    matters="A layer silently takes over the average of another layer's weights.",
    remedy="write averages back to the very list of weights they were taken from, or by name; "
    "in Keras, compile with a new optimizer after changing which layers are trainable",
    tells_apart="The written tensor and the averaged tensor differ by name; averages were matched by position.",
)

RULES = (FROZEN_HELD, HELD_TWICE, MISALIGNED, OTHER_OPTIMIZER, ACCUMULATE, RUNS_EMPTY, MISPLACED_AVERAGE)

FURTHER = "nothing to do where it is meant to be trained further; freeze it where it only measures or teaches"
FIXED_COPY_WORDS = ("teacher", "target", "reference", "ref_model", "ref_policy", "momentum_encoder")


def find(ledger: Ledger) -> list[Finding]:
    """Look at what each optimizer holds and at the order of phases."""
    return [
        *_frozen_held(ledger),
        *(finding for event in ledger.events if (finding := _of_event(event)) is not None),
        *_misaligned(ledger),
        *_other_optimizer(ledger),
        *_in_eval(ledger),
        *_empty(ledger),
    ]


def _frozen_held(ledger: Ledger) -> list[Finding]:
    found = []
    for optimizer in ledger.optimizers:
        if optimizer.kind != "optimizer":
            continue
        held = [
            row
            for row in ledger.tensors
            if row.declared.trainable is False
            and row.declared.flip_count <= 1
            and row.changed.verdict == "no"
            and any(holding.optimizer == optimizer.id and holding.listed for holding in row.optimizers)
        ]
        if held and len(held) < optimizer.holds:
            found.append(
                FROZEN_HELD.found(
                    held,
                    f"{optimizer.id} holds {tensors(held)} declared frozen; none of them moved",
                    {"optimizer": optimizer.id},
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
        {"optimizers": [one, two], "seen_at_step": event.step},
    )


def _accumulate(event: GradientLeft) -> Finding:
    optimizer, other = event.optimizer, event.other
    many = several(len(event.tensors), "tensor")
    return ACCUMULATE.found(
        event.tensors,
        f"{optimizer} applied gradients that were left in {many} by the phase of {other}",
        {"optimizer": optimizer, "left_by": other, "seen_at_step": event.step},
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
            {"optimizer": event.optimizer, "seen_at_step": event.step},
        )
        for event in ledger.events_of(StateMisshapen)
    ]
    for optimizer in ledger.optimizers:
        pairs = [
            (row, holding.state_of)
            for row in ledger.tensors
            for holding in row.optimizers
            if holding.optimizer == optimizer.id and holding.state_of not in (None, row.name, *row.aliases)
        ]
        if pairs and optimizer.steps_executed:
            found.append(
                MISALIGNED.found(
                    [row for row, _ in pairs],
                    f"{optimizer.id} updates {several(len(pairs), 'tensor')} with the state of other tensors",
                    {
                        "optimizer": optimizer.id,
                        "state": [f"{row.name} with the state of {other}" for row, other in pairs],
                    },
                )
            )
    return found


def _other_optimizer(ledger: Ledger) -> list[Finding]:
    """A whole network with an optimizer of its own that also stands, entire, in the optimizer of another network."""
    models: dict[str, list[TensorRow]] = {}
    for row in ledger.tensors:
        models.setdefault(row.model, []).append(row)
    held = {
        optimizer.id: _models_held(optimizer, ledger) for optimizer in ledger.optimizers if optimizer.steps_executed
    }
    found = []
    for optimizer, several_models in held.items():
        for model in several_models if len(several_models) > 1 else ():
            own = [other for other, theirs in held.items() if other != optimizer and theirs == {model}]
            rest = [
                other for other, theirs in held.items() if other != optimizer and theirs == several_models - {model}
            ]
            rows = [row for row in models[model] if row.declared.trainable and _moved_by(row, optimizer)]
            if (
                own
                and not rest
                and rows
                and _entire(models[model], optimizer)
                and not _goes_on(model, optimizer, ledger)
            ):
                further = _is_over(own, optimizer, ledger) and not any(map(_fixed_copy, _names(rows)))
                found.append(
                    OTHER_OPTIMIZER.found(
                        rows,
                        f"{tensors(rows)} of {model}, which {own[0]} trains, are updated by {optimizer} as well",
                        {"optimizer": optimizer, "own_program": own[0], "models_of_program": sorted(several_models)},
                        severity="note" if further else None,
                        hint=FURTHER if further else None,
                    )
                )
    return found


def _is_over(own: list[str], optimizer: str, ledger: Ledger) -> bool:
    """Whether the network's own optimizers had made their last step before the other one began."""
    began = ledger.optimizer(optimizer).checked_at
    return bool(began) and all(ledger.optimizer(each).last_step < began[0] for each in own)


def _names(rows: list[TensorRow]) -> list[str]:
    return [name for row in rows for name in (row.name, *row.aliases)]


def _goes_on(model: str, optimizer: str, ledger: Ledger) -> bool:
    """Whether the optimizer also trains what stands behind the network: a head, with which it is trained further."""
    behind = {name for event in ledger.events_of(NetworkContinued) if event.network == model for name in event.tensors}
    return any(
        row.name in behind and any(w.optimizer == optimizer and w.listed for w in row.optimizers)
        for row in ledger.tensors
    )


def _entire(rows: list[TensorRow], optimizer: str) -> bool:
    """Whether the optimizer holds every trainable weight of the network: a shared part alone is no mistake."""
    weights = [row for row in rows if row.kind == "parameter" and row.declared.trainable]
    return all(any(holding.optimizer == optimizer and holding.listed for holding in row.optimizers) for row in weights)


def _models_held(optimizer: OptimizerRow, ledger: Ledger) -> set[str]:
    return {
        row.model for row in ledger.tensors if any(w.optimizer == optimizer.id and w.listed for w in row.optimizers)
    }


def _moved_by(row: TensorRow, optimizer: str) -> bool:
    return f"{optimizer} step" in row.changed.during or any(
        holding.optimizer == optimizer and holding.gradients.get("nonzero") for holding in row.optimizers
    )


def _in_eval(ledger: Ledger) -> list[Finding]:
    """A part that is called a teacher or target, is in eval mode as a whole, and is trained all the same."""
    parts: dict[tuple[str, str], list[TensorRow]] = {}
    in_training = {row.model for row in ledger.tensors if row.kind == "parameter" and row.declared.training}
    for row in ledger.tensors:
        part = _fixed_copy(row.name)
        if part and row.kind == "parameter":
            parts.setdefault((row.model, part), []).append(row)
    found = []
    for (model, part), rows in parts.items():
        trained = [row for row in rows if row.declared.trainable and _moved_in_step(row)]
        in_eval = all(row.declared.training is False for row in rows)
        if trained and in_eval and model in in_training:
            optimizer = trained[0].optimizers[0].optimizer
            found.append(
                OTHER_OPTIMIZER.found(
                    trained,
                    f"{tensors(trained)} of {part} are trained by {optimizer} while it is in eval mode",
                    {"part": part, "training_mode": False, "flag": True, "optimizer": optimizer},
                    severity="error",
                    hint=f"eval() does not freeze: call {part.rpartition('.')[2]}.requires_grad_(False)",
                )
            )
    return found


def _moved_in_step(row: TensorRow) -> bool:
    return any(move.place == "step" for move in row.changed.movements) and bool(row.optimizers)


def _fixed_copy(name: str) -> str | None:
    """The part of a dotted name up to the first piece that names a network meant to stay, or None."""
    pieces = name.split(".")[:-1]
    for index, piece in enumerate(pieces):
        if any(word in piece.lower() for word in FIXED_COPY_WORDS):
            return ".".join(pieces[: index + 1])
    return None


def _empty(ledger: Ledger) -> list[Finding]:
    found = []
    for optimizer in ledger.optimizers:
        if optimizer.kind == "compiled-step" and optimizer.steps_executed and not optimizer.holds:
            model = optimizer.trains_model or optimizer.id
            rows = [row for row in ledger.tensors if row.kind == "parameter" and _belongs(row, model)]
            if rows:
                ran = several(optimizer.steps_executed, "time")
                found.append(
                    RUNS_EMPTY.found(
                        rows,
                        f"the train step of {model} ran {ran} and captured nothing: 0 of {tensors(rows)} can move",
                        {"optimizer": optimizer.id, "steps": optimizer.steps_executed, "captured": 0},
                    )
                )
    return found


def _belongs(row: TensorRow, model: str) -> bool:
    return any(name == model or name.startswith(f"{model}.") for name in (row.name, *row.aliases))
