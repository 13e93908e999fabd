"""T: the rules for leaves declared trainable that kept every bit, and which of them explains one."""

from __future__ import annotations

from frostline.core.events import LayersUntracked, ModelUsed, StepCompiled, TensorReplaced, VariablesUntracked
from frostline.core.ledger import HALF_UNIT, LeafRow, Ledger, Wire
from frostline.core.record import Severity
from frostline.rules import astray, idle, missing
from frostline.rules.beside import factor_of_zeros, moved_any, rest_of_module_moved, sibling_moved
from frostline.rules.decay import decay_alone
from frostline.rules.idle import NOTHING, SKIPPED, UNREGISTERED
from frostline.rules.rule import Rule

UNCHANGED = Rule(
    "T200",
    "trainable-but-unchanged",
    "error",
    means="A leaf declared trainable and held by a program kept every bit, and no cause could be established.",
    matters="The run paid for training it and did not.",
    remedy="run again with --check-every 1; look at how the update reaches the tensor on this device",
    tells_apart="Gradient not zero, learning rate not zero, and the update was large enough to show.",
)
NOT_HELD = Rule(
    "T201",
    "not-in-any-optimizer",
    "error",
    means="A leaf declared trainable is held by no optimizer.",
    matters="It gets gradients and is never updated: a group was forgotten, or it was meant to be frozen.",
    remedy="add it to the optimizer, or freeze it if it is meant to stay: requires_grad_(False), trainable = False",
    tells_apart="The flag was on all the time (else T209), and the optimizer holds nothing strange (else T202).",
)
OTHER_TENSORS = Rule(
    "T202",
    "optimizer-holds-other-tensors",
    "error",
    means="The optimizer holds tensors that belong to no live model, and the model's own are held by nobody.",
    matters="Steps update orphans: the loss stays where it is and nothing is reported.",
    remedy="make the optimizer after the model has its final tensors (after loading, converting, wrapping, resizing)",
    tells_apart="The optimizer's tensors have the shapes of the model's and are other objects.",
)
NO_GRADIENT = Rule(
    "T203",
    "no-gradient",
    "error",
    means="A leaf held by an optimizer had no gradient at any check.",
    matters="Its module was not called, was called without gradient recording, or its output was cut from the loss.",
    remedy="look for no_grad, detach, .data, reentrant checkpointing with frozen inputs, or an unused output",
    tells_apart="The gradient is missing, not zero; the evidence says whether the module was called and recorded. A "
    "note where the script keeps a network fixed: in eval mode, without gradients, while all else is in training mode; "
    "where no pass reads the weight; and where the loss is on slopes and the rest of the module has gradients.",
)
ZERO_GRADIENT = Rule(
    "T204",
    "zero-gradient",
    "warning",
    means="The gradient was there and exactly zero at every check.",
    matters="The leaf takes part in the graph but the loss does not depend on it.",
    remedy="look for dead activations, masks, a zero-initialised partner, or a product with zero",
    tells_apart="The gradient is zero, not missing, and the state and decay moved nothing either. A note, in other "
    "words, where it is rounding noise beside the gradients of the other leaves: a bias in front of a normalisation.",
)
ROUNDED = Rule(
    "T205",
    "update-rounded-away",
    "error",
    means="Every update was smaller than half a unit in the last place of the weight and was rounded away.",
    matters="Gradients and optimizer state look alive; the weight's type cannot hold steps that small.",
    remedy="keep a full-precision master copy, use stochastic rounding, or a larger learning rate",
    tells_apart="Gradient and rate are not zero, and the largest update of the last step is below half a unit.",
)
ZERO_RATE = Rule(
    "T206",
    "learning-rate-zero",
    "error",
    means="The learning rate of the leaf's group was zero in every executed step.",
    matters="The step runs and multiplies everything by zero.",
    remedy="look at the scheduler and at the group's lr; freeze by flag when zero was meant",
    tells_apart="The largest learning rate of the group is 0, over all steps or those since the leaf was unfrozen.",
)
UNFROZEN_LATE = Rule(
    "T209",
    "unfrozen-after-compile",
    "error",
    means="The flag was turned on after the optimizer or compiled step was made; the step does not know it.",
    matters="Gradual unfreezing that unfreezes nothing: flags and summary say trainable.",
    remedy="add the parameters to the optimizer (add_param_group), or compile again",
    tells_apart="The flag was off at the first look or at capture and is on now; no program updates the leaf. A note "
    "for normalisations where everything else that was unfrozen with them is held, as with train_bn=False.",
)
DECAY_ALONE = Rule(
    "T211",
    "moved-by-decay-alone",
    "warning",
    means="A leaf declared trainable got no gradient; the only movement was weight decay.",
    matters="It looks trained: the bits differ. It only shrank.",
    remedy="find out why no gradient reaches it, or exclude it from decay",
    tells_apart="Every observed move is w' = c·w with one c (or shrinks all that is large beside it, where the "
    "optimizer takes decay for a gradient), and the gradient is zero or missing.",
)
NEVER_TRACKED = Rule(
    "T212",
    "never-tracked",
    "error",
    means="A layer is kept where the model cannot see it, so neither summary nor optimizer lists its weights.",
    matters="It takes part in every forward pass and is never trained nor saved.",
    remedy="keep layers as attributes or in lists and dicts of the model, not inside plain objects",
    tells_apart="The layer hangs under an attribute that the framework does not track. A note where its weights are "
    "not those of an initialiser: a network trained before, to measure or to guide by.",
)

RULES = (
    UNCHANGED, NOT_HELD, OTHER_TENSORS, NO_GRADIENT, ZERO_GRADIENT, ROUNDED, ZERO_RATE, SKIPPED, NOTHING,
    UNFROZEN_LATE, UNREGISTERED, DECAY_ALONE, NEVER_TRACKED,
)  # fmt: skip

FULL_PRECISION = ("float32", "float64", "complex64", "complex128")
Cause = tuple[Rule, Severity, str]


def cause(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    """Which rule explains that the leaf did not move as declared, how grave that is, and the program concerned."""
    if leaf.kind == "buffer" or not leaf.declared.trainable or not leaf.numbers:
        return None
    if leaf.changed.verdict == "yes":
        gone_on = _gone_on(leaf, ledger)
        if gone_on or not _still_since_unfrozen(leaf):
            return gone_on or _decay_alone(leaf, ledger)
    if leaf.changed.verdict == "unknown":
        return None
    wires = [wire for wire in leaf.wired if wire.listed and ledger.program(wire.program).steps_executed]
    skipping = [wire for wire in leaf.wired if idle.mostly_skipped(ledger.program(wire.program))]
    if skipping and not wires:
        return SKIPPED, "error", skipping[0].program
    if not leaf.registered:
        return _unregistered(leaf, ledger)
    if not wires:
        return _outrun(leaf, ledger) if _held_at_rest(leaf) else _unheld(leaf, ledger)
    return _held(leaf, wires, ledger)


def _gone_on(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    """A program that went on to step another tensor in place of a leaf that was trained before."""
    found = astray.gone_on(leaf, ledger)
    if found is None:
        return None
    program, since = found
    return OTHER_TENSORS, _patient("error", program.last_step - since, ledger), program.id


def _held_at_rest(leaf: LeafRow) -> bool:
    """Whether programs hold the leaf and none of them ever stepped: then it is they who need explaining."""
    return any(wire.listed and wire.captured is not False for wire in leaf.wired)


def _outrun(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    """A program that steps other tensors in place of the one at rest that holds the leaf: a copy of that optimizer."""
    for program in ledger.programs:
        if program.steps_executed and astray.holds_former(program, leaf):
            return OTHER_TENSORS, _patient("error", program.steps_executed, ledger), program.id
    return None


def _still_since_unfrozen(leaf: LeafRow) -> bool:
    """Whether the flag was turned on during the run and nothing moved since."""
    ons = [flip.step for flip in leaf.declared.flips if flip.now]
    last = leaf.changed.last_step or 0
    return bool(ons) and leaf.declared.flip_count <= len(leaf.declared.flips) and last < ons[-1]


def _is_unfrozen(leaf: LeafRow) -> bool:
    """Whether its flag was turned on during the run."""
    return bool(leaf.declared.flips) and leaf.declared.flips[-1].now


def _unregistered(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    untracked = [event for event in ledger.events_of(LayersUntracked) if leaf.name in event.tensors]
    if untracked:
        beside = [row for row in ledger.leaves if row.name in untracked[0].tensors]
        return NEVER_TRACKED, "note" if any(is_pretrained(row) for row in beside) else "error", ""
    if leaf.reached_by_backward:
        return None if _is_lent(leaf.model, ledger) else (UNREGISTERED, "error", "")
    stray = any(leaf.name in event.tensors for event in ledger.events_of(VariablesUntracked))
    grave: Severity = "note" if is_pretrained(leaf) else "warning"
    return (UNREGISTERED, _patient(grave, leaf.declared.trainable_steps, ledger), "") if stray else None


def _is_lent(model: str, ledger: Ledger) -> bool:
    """Whether all weights of a model were loaded and no program holds any: one made to compute gradients with."""
    weights = [row for row in ledger.leaves if (row.model, row.kind) == (model, "parameter") and row.registered]
    return bool(weights) and all(row.loaded and not row.wired for row in weights)


def is_pretrained(leaf: LeafRow) -> bool:
    """Whether the weights look unlike what their initialiser draws: a fixed network, to measure or to guide by."""
    return leaf.owner.default_initialised is False


def is_used(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether a model with the leaf was called or written after steps whose new weights stayed outside it."""
    return any(leaf.name in event.tensors for event in ledger.events_of(ModelUsed))


def _unheld(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    if any(idle.unread(program) for program in ledger.programs) or _is_remade(leaf, ledger):
        return None
    late = leaf.declared.first is False or any(flip.now for flip in leaf.declared.flips)
    grave: Severity = _patient("error", leaf.declared.trainable_steps, ledger)
    if late and not (_model_is_trained(leaf, ledger) or leaf.reached_by_backward):
        return None
    if late:
        return UNFROZEN_LATE, "note" if is_norm_left_out(leaf, ledger) else grave, ""
    predecessors = _predecessors(leaf, ledger)
    for program in ledger.programs:
        beside = any(
            wire.program == program.id for row in ledger.leaves if row.model == leaf.model for wire in row.wired
        )
        if program.steps_executed and program.orphans and (beside or astray.holds_former(program, leaf)):
            return OTHER_TENSORS, grave, program.id
        if program.steps_executed and any(astray.holds(program, row) for row in predecessors):
            return OTHER_TENSORS, grave, program.id
    exchanged = astray.exchanged(leaf, ledger)
    if exchanged is not None:
        return OTHER_TENSORS, grave, exchanged[0].id
    if any(wire.captured is False for wire in leaf.wired):
        return UNFROZEN_LATE, grave, leaf.wired[0].program
    if leaf.reached_by_backward and (_model_is_trained(leaf, ledger) or _never_trained(leaf, ledger)):
        return NOT_HELD, "note" if leaf.as_buffer else grave, ""  # a script may want the gradients of a mask or a grid
    if not _model_is_trained(leaf, ledger):
        return None
    return NOT_HELD, "note", ""


def _is_remade(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether its module makes it anew again and again, and no gradient reaches it: an average kept as a parameter."""
    exchanges = sum(leaf.name == event.name for event in ledger.events_of(TensorReplaced))
    return exchanges > 1 and not leaf.reached_by_backward


def _predecessors(leaf: LeafRow, ledger: Ledger) -> list[LeafRow]:
    """What the leaf took the place of: leaves of its module, or of what computed it, that the model has no longer."""
    inside = f"{leaf.owner.path}.parametrizations." if leaf.owner.path else "parametrizations."
    return [
        other
        for other in ledger.leaves
        if other.gone and not leaf.gone and other.model == leaf.model
        if other.owner.path == leaf.owner.path or other.owner.path.startswith(inside)
    ]


def _has_successor(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether a leaf that no program holds took the place of this one; the optimizer's is told with that."""
    return leaf.gone and any(
        leaf in _predecessors(other, ledger) for other in ledger.leaves if not other.wired and other.declared.trainable
    )


def is_norm_left_out(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether it is of a normalisation, and all else that was unfrozen with it is held: they were chosen so."""
    if leaf.owner.role != "normalisation" or not leaf.declared.flips:
        return False
    when = leaf.declared.flips[-1].step
    beside = [
        other
        for other in ledger.leaves
        if (other.model, other.kind) == (leaf.model, leaf.kind)
        and other.owner.role != "normalisation"
        and any(flip.now and flip.step == when for flip in other.declared.flips)
    ]
    return bool(beside) and all(any(wire.listed for wire in other.wired) for other in beside)


def _model_is_trained(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether some program holds another leaf of the same model."""
    return any(other.model == leaf.model and any(wire.listed for wire in other.wired) for other in ledger.leaves)


def _never_trained(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether a network that no program holds looks forgotten rather than pretrained: in training mode, as initialised.

    A pretrained network that only passes gradients on (a perceptual loss, a guide) is in eval mode or was loaded. A
    copy that was made of another to compute gradients with is not meant to be trained.
    """
    initial = leaf.owner.default_initialised is not False and not leaf.loaded
    return bool(leaf.declared.training) and initial and not _is_scratch(leaf, ledger)


def _is_scratch(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the leaf is of a copy of another model that was made during training, or that other copies followed."""
    if leaf.copied_at is None:
        return False
    name = leaf.model.partition("#")[0]
    return leaf.copied_at > 0 or any(
        other.copied_at and other.model.startswith(f"{name}#") and other.owner.path == leaf.owner.path
        for other in ledger.leaves
    )


def _held(leaf: LeafRow, wires: list[Wire], ledger: Ledger) -> Cause | None:
    program = wires[0].program
    steps = min(
        max(ledger.program(wire.program).steps_executed for wire in wires), max(1, leaf.declared.trainable_steps)
    )
    if leaf.wired and all(wire.captured is False for wire in wires):
        return UNFROZEN_LATE, _patient("error", steps, ledger), program
    if all(wire.max_lr == 0 for wire in wires):
        return ZERO_RATE, _patient("error", steps, ledger), program
    if any(idle.mostly_skipped(ledger.program(wire.program)) for wire in wires):
        return SKIPPED, "error", program
    if any(wire.unassigned for wire in wires):
        fitted = ledger.program(program).trains_model is not None
        return NOTHING, _patient("error" if fitted or is_used(leaf, ledger) else "note", steps, ledger), program
    seen = {state for wire in wires for state, count in wire.gradients.items() if count}
    if seen == {"none"} and leaf.declared.first is False and any(ledger.events_of(StepCompiled)):
        return UNFROZEN_LATE, _patient("error", steps, ledger), program
    if seen == {"none"} and (_has_successor(leaf, ledger) or astray.taken_for_another(leaf, ledger)):
        return None
    if seen == {"none"}:
        return NO_GRADIENT, _patient(missing.severity(leaf, ledger), steps, ledger), program
    if any(wire.negligible for wire in wires):
        return ZERO_GRADIENT, "note", program
    if seen and seen <= {"none", "zero"}:
        spared = leaf.owner.sibling_called or rest_of_module_moved(leaf, ledger) or sibling_moved(leaf, ledger)
        benign: Severity = "note" if spared and not factor_of_zeros(leaf, ledger) else "warning"
        return ZERO_GRADIENT, _patient(benign, steps, ledger), program
    if "nonzero" in seen and _is_unfrozen(leaf) and all(wire.lr == 0 for wire in wires):
        return ZERO_RATE, _patient("error", steps, ledger), program  # any other rate would have moved it since
    lost = _lost_in_rounding(leaf, wires, seen, ledger)
    if lost is not None:
        return ROUNDED, _patient(lost, steps, ledger), program
    if "nonzero" not in seen:
        unrouted: Severity = "note" if sibling_moved(leaf, ledger) else "warning"
        return UNCHANGED, _patient(unrouted, steps, ledger), program
    return UNCHANGED, _patient("error", steps, ledger), program


def _lost_in_rounding(leaf: LeafRow, wires: list[Wire], seen: set[str], ledger: Ledger) -> Severity | None:
    """How grave it is that rounding took every update; None where nothing says that it did.

    Where gradients stay hidden, another weight of the module that moved, or one in front of it in a row of layers, or a
    program all of which is at rest, shows that it is no branch without a gradient.
    """
    bounds = [wire.update_ulp for wire in wires if wire.update_ulp is not None]
    concluded, beside = wires[0].concluded, wires[0].passed or rest_of_module_moved(leaf, ledger)
    if not bounds or not ("nonzero" in seen or concluded):
        return None
    if max(bounds) > HALF_UNIT:
        return "warning" if concluded and beside else None
    if concluded and not beside and moved_any(wires[0].program, ledger):
        return "warning"
    return _severity_of_rounding(leaf, wires[0].program, ledger)


def _severity_of_rounding(leaf: LeafRow, program: str, ledger: Ledger) -> Severity:
    """In a full-precision type a few leaves whose loss has gone flat are no fault; a whole program at rest is one."""
    return "note" if moved_any(program, ledger) and leaf.dtype in FULL_PRECISION else "error"


def _patient(severity: Severity, steps: int, ledger: Ledger) -> Severity:
    """Too few steps to call it a fault: a note."""
    return severity if steps >= ledger.patience else "note"


def _decay_alone(leaf: LeafRow, ledger: Ledger) -> Cause | None:
    shown = decay_alone(leaf.changed.movements)
    if shown is None:
        return None
    severity: Severity = "note" if sibling_moved(leaf, ledger) else "warning"
    return DECAY_ALONE, _patient(severity, leaf.declared.trainable_steps, ledger), shown.program or ""
