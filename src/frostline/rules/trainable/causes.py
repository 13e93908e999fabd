"""T: which rule explains a tensor that was declared trainable and did not change."""

from __future__ import annotations

from frostline.core.events import LayersUntracked, ModelUsed, StepCompiled, TensorReplaced, VariablesUntracked
from frostline.core.ledger import FULL_PRECISION, HALF_UNIT, Holding, Ledger, TensorRow
from frostline.core.record import Severity
from frostline.rules import traced
from frostline.rules.frozen.decay import decay_alone
from frostline.rules.rule import Rule
from frostline.rules.trainable import idle_optimizers, misdirected_optimizers, no_gradient
from frostline.rules.trainable.idle_optimizers import NOTHING, SKIPPED, UNREGISTERED
from frostline.rules.trainable.neighbours import factor_of_zeros, moved_any, rest_of_module_moved, sibling_moved
from frostline.rules.trainable.rules import (
    DECAY_ALONE,
    NEVER_TRACKED,
    NO_GRADIENT,
    NOT_HELD,
    OTHER_TENSORS,
    ROUNDED,
    UNCHANGED,
    UNFROZEN_LATE,
    ZERO_GRADIENT,
    ZERO_RATE,
)

Cause = tuple[Rule, Severity, str]


def cause(row: TensorRow, ledger: Ledger) -> Cause | None:
    """Which rule explains that the tensor did not move as declared, how grave that is, and the optimizer concerned."""
    if row.kind == "buffer" or not row.declared.trainable or not row.size:
        return None
    by_trace = traced.cause(row, ledger)
    if by_trace is not None:
        return by_trace
    if row.changed.verdict == "yes":
        gone_on = _gone_on(row, ledger)
        if gone_on or not _still_since_unfrozen(row):
            return gone_on or _decay_alone(row, ledger)
    if row.changed.verdict == "unknown":
        return None
    holdings = [
        holding for holding in row.optimizers if holding.listed and ledger.optimizer(holding.optimizer).steps_executed
    ]
    skipping = [
        holding for holding in row.optimizers if idle_optimizers.mostly_skipped(ledger.optimizer(holding.optimizer))
    ]
    if skipping and not holdings:
        return SKIPPED, "error", skipping[0].optimizer
    if not row.registered:
        return _unregistered(row, ledger)
    if not holdings:
        return _outrun(row, ledger) if _held_at_rest(row) else _unheld(row, ledger)
    return _held(row, holdings, ledger)


def _gone_on(row: TensorRow, ledger: Ledger) -> Cause | None:
    """An optimizer that went on to step another tensor in place of a tensor that was trained before."""
    found = misdirected_optimizers.gone_on(row, ledger)
    if found is None:
        return None
    optimizer, since = found
    return OTHER_TENSORS, _patient("error", optimizer.last_step - since, ledger), optimizer.id


def _held_at_rest(row: TensorRow) -> bool:
    """Whether optimizers hold the tensor and none of them ever stepped: then it is they who need explaining."""
    return any(holding.listed and holding.captured is not False for holding in row.optimizers)


def _outrun(row: TensorRow, ledger: Ledger) -> Cause | None:
    """A copy of the optimizer at rest that holds the tensor, which steps other tensors in its place."""
    for optimizer in ledger.optimizers:
        if optimizer.steps_executed and misdirected_optimizers.holds_former(optimizer, row):
            return OTHER_TENSORS, _patient("error", optimizer.steps_executed, ledger), optimizer.id
    return None


def _still_since_unfrozen(row: TensorRow) -> bool:
    """Whether the flag was turned on during the run and nothing moved since."""
    ons = [flip.step for flip in row.declared.flips if flip.now]
    last = row.changed.last_step or 0
    return bool(ons) and row.declared.flip_count <= len(row.declared.flips) and last < ons[-1]


def _is_unfrozen(row: TensorRow) -> bool:
    """Whether its flag was turned on during the run."""
    return bool(row.declared.flips) and row.declared.flips[-1].now


def _unregistered(tensor_row: TensorRow, ledger: Ledger) -> Cause | None:
    untracked = [event for event in ledger.events_of(LayersUntracked) if tensor_row.name in event.tensors]
    if untracked:
        beside = [row for row in ledger.tensors if row.name in untracked[0].tensors]
        return NEVER_TRACKED, "note" if any(is_pretrained(row) for row in beside) else "error", ""
    if tensor_row.reached_by_backward:
        return None if _is_lent(tensor_row.model, ledger) else (UNREGISTERED, "error", "")
    stray = any(tensor_row.name in event.tensors for event in ledger.events_of(VariablesUntracked))
    grave: Severity = "note" if is_pretrained(tensor_row) else "warning"
    return (UNREGISTERED, _patient(grave, tensor_row.declared.trainable_steps, ledger), "") if stray else None


def _is_lent(model: str, ledger: Ledger) -> bool:
    """Whether all weights of a model were loaded and no optimizer holds any: one made to compute gradients with."""
    weights = [row for row in ledger.tensors if (row.model, row.kind) == (model, "parameter") and row.registered]
    return bool(weights) and all(row.loaded and not row.optimizers for row in weights)


def is_pretrained(row: TensorRow) -> bool:
    """Whether the weights look unlike what their initialiser draws: a fixed network, to measure or to guide by."""
    return row.owner.default_initialised is False


def is_used(row: TensorRow, ledger: Ledger) -> bool:
    """Whether a model with the tensor was called or written after steps whose new weights stayed outside it."""
    return any(row.name in event.tensors for event in ledger.events_of(ModelUsed))


def _unheld(tensor_row: TensorRow, ledger: Ledger) -> Cause | None:
    if any(idle_optimizers.unread(optimizer) for optimizer in ledger.optimizers) or is_remade(tensor_row, ledger):
        return None
    late = tensor_row.declared.first is False or any(flip.now for flip in tensor_row.declared.flips)
    grave: Severity = _patient("error", tensor_row.declared.trainable_steps, ledger)
    if late and not (_model_is_trained(tensor_row, ledger) or tensor_row.reached_by_backward):
        return None
    if late:
        return UNFROZEN_LATE, "note" if is_norm_left_out(tensor_row, ledger) else grave, ""
    predecessors = _predecessors(tensor_row, ledger)
    for optimizer in ledger.optimizers:
        beside = any(
            holding.optimizer == optimizer.id
            for row in ledger.tensors
            if row.model == tensor_row.model
            for holding in row.optimizers
        )
        if (
            optimizer.steps_executed
            and optimizer.orphans
            and (beside or misdirected_optimizers.holds_former(optimizer, tensor_row))
        ):
            return OTHER_TENSORS, grave, optimizer.id
        if optimizer.steps_executed and any(misdirected_optimizers.holds(optimizer, row) for row in predecessors):
            return OTHER_TENSORS, grave, optimizer.id
    elsewhere = traced.shown(tensor_row, "gradient-elsewhere", ledger)
    if elsewhere is not None:
        return OTHER_TENSORS, grave, elsewhere.optimizer
    exchanged = misdirected_optimizers.exchanged(tensor_row, ledger)
    if exchanged is not None:
        return OTHER_TENSORS, grave, exchanged[0].id
    if any(holding.captured is False for holding in tensor_row.optimizers):
        return UNFROZEN_LATE, grave, tensor_row.optimizers[0].optimizer
    if tensor_row.reached_by_backward and (_model_is_trained(tensor_row, ledger) or _never_trained(tensor_row, ledger)):
        return (
            NOT_HELD,
            "note" if tensor_row.as_buffer else grave,
            "",
        )  # a script may want the gradients of a mask or a grid
    if not _model_is_trained(tensor_row, ledger):
        return None
    return NOT_HELD, "note", ""


def is_remade(row: TensorRow, ledger: Ledger) -> bool:
    """Whether its module makes it again again and again, and no gradient reaches it: an average kept as a parameter."""
    exchanges = sum(row.name == event.name for event in ledger.events_of(TensorReplaced))
    return exchanges > 1 and not row.reached_by_backward


def _predecessors(row: TensorRow, ledger: Ledger) -> list[TensorRow]:
    """What the tensor replaced: tensors of its module, or of what computed it, that the model has no longer."""
    inside = f"{row.owner.path}.parametrizations." if row.owner.path else "parametrizations."
    return [
        other
        for other in ledger.tensors
        if other.gone and not row.gone and other.model == row.model
        if other.owner.path == row.owner.path or other.owner.path.startswith(inside)
    ]


def _has_successor(row: TensorRow, ledger: Ledger) -> bool:
    """Whether a tensor that no optimizer holds took the place of this one; the optimizer's is told with that."""
    return bool(row.gone) and any(
        row in _predecessors(other, ledger)
        for other in ledger.tensors
        if not other.optimizers and other.declared.trainable
    )


def is_norm_left_out(row: TensorRow, ledger: Ledger) -> bool:
    """Whether it is of a normalisation, and all else that was unfrozen with it is held: they were chosen so."""
    if row.owner.role != "normalisation" or not row.declared.flips:
        return False
    when = row.declared.flips[-1].step
    beside = [
        other
        for other in ledger.tensors
        if (other.model, other.kind) == (row.model, row.kind)
        and other.owner.role != "normalisation"
        and any(flip.now and flip.step == when for flip in other.declared.flips)
    ]
    return bool(beside) and all(any(holding.listed for holding in other.optimizers) for other in beside)


def _model_is_trained(row: TensorRow, ledger: Ledger) -> bool:
    """Whether some optimizer holds another tensor of the same model."""
    return any(
        other.model == row.model and any(holding.listed for holding in other.optimizers) for other in ledger.tensors
    )


def _never_trained(row: TensorRow, ledger: Ledger) -> bool:
    """Whether a network in no optimizer looks forgotten rather than pretrained: in training mode, as initialised.

    A pretrained network that only passes gradients on (a perceptual loss, a guide) is in eval mode or was loaded. A
    copy that was made of another to compute gradients with is not meant to be trained.
    """
    initial = row.owner.default_initialised is not False and not row.loaded
    return bool(row.declared.training) and initial and not _is_scratch(row, ledger)


def _is_scratch(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the tensor is of a copy of another model that was made during training, or that other copies followed."""
    if row.copied_at is None:
        return False
    name = row.model.partition("#")[0]
    return row.copied_at > 0 or any(
        other.copied_at and other.model.startswith(f"{name}#") and other.owner.path == row.owner.path
        for other in ledger.tensors
    )


def _held(row: TensorRow, holdings: list[Holding], ledger: Ledger) -> Cause | None:
    optimizer = holdings[0].optimizer
    steps = min(
        max(ledger.optimizer(holding.optimizer).steps_executed for holding in holdings),
        max(1, row.declared.trainable_steps),
    )
    if row.optimizers and all(holding.captured is False for holding in holdings):
        return UNFROZEN_LATE, _patient("error", steps, ledger), optimizer
    if all(holding.max_lr == 0 for holding in holdings):
        return ZERO_RATE, _patient("error", steps, ledger), optimizer
    if any(idle_optimizers.mostly_skipped(ledger.optimizer(holding.optimizer)) for holding in holdings):
        return SKIPPED, "error", optimizer
    if any(holding.unassigned for holding in holdings):
        fitted = ledger.optimizer(optimizer).trains_model is not None
        return NOTHING, _patient("error" if fitted or is_used(row, ledger) else "note", steps, ledger), optimizer
    seen = {state for holding in holdings for state, count in holding.gradients.items() if count}
    if seen == {"none"} and row.declared.first is False and any(ledger.events_of(StepCompiled)):
        return UNFROZEN_LATE, _patient("error", steps, ledger), optimizer
    if seen == {"none"} and (_has_successor(row, ledger) or misdirected_optimizers.taken_for_another(row, ledger)):
        return None
    if seen == {"none"}:
        return NO_GRADIENT, _patient(no_gradient.severity(row, ledger), steps, ledger), optimizer
    if any(holding.negligible for holding in holdings):
        return ZERO_GRADIENT, "note", optimizer
    if seen and seen <= {"none", "zero"}:
        spared = row.owner.sibling_called or rest_of_module_moved(row, ledger) or sibling_moved(row, ledger)
        benign: Severity = "note" if spared and not factor_of_zeros(row, ledger) else "warning"
        return ZERO_GRADIENT, _patient(benign, steps, ledger), optimizer
    if "nonzero" in seen and _is_unfrozen(row) and all(holding.lr == 0 for holding in holdings):
        return ZERO_RATE, _patient("error", steps, ledger), optimizer  # any other rate would have moved it since
    lost = _lost_in_rounding(row, holdings, seen, ledger)
    if lost is not None:
        return ROUNDED, _patient(lost, steps, ledger), optimizer
    if "nonzero" not in seen:
        beside = ledger.optimizer(optimizer).stateless and rest_of_module_moved(row, ledger)
        unrouted: Severity = "note" if beside or sibling_moved(row, ledger) else "warning"
        return UNCHANGED, _patient(unrouted, steps, ledger), optimizer
    return UNCHANGED, _patient("error", steps, ledger), optimizer


def _lost_in_rounding(row: TensorRow, holdings: list[Holding], seen: set[str], ledger: Ledger) -> Severity | None:
    """How grave it is that rounding took every update; None where nothing says that it did.

    Where gradients stay hidden, another weight of the module that moved, or one in front of it in a row of layers, or a
    optimizer all of which is at rest, shows that it is no branch without a gradient.
    """
    bounds = [holding.update_ulp for holding in holdings if holding.update_ulp is not None]
    concluded, beside = (
        holdings[0].gradient_inferred,
        holdings[0].gradient_inferred_from_neighbours or rest_of_module_moved(row, ledger),
    )
    if not bounds or not ("nonzero" in seen or concluded):
        return None
    if max(bounds) > HALF_UNIT:
        return "warning" if concluded and beside else None
    if concluded and not beside and moved_any(holdings[0].optimizer, ledger):
        return "warning"
    return _severity_of_rounding(row, holdings[0].optimizer, ledger)


def _severity_of_rounding(row: TensorRow, optimizer: str, ledger: Ledger) -> Severity:
    """In a full-precision type a few tensors whose loss went flat are no fault; a whole optimizer at rest is one."""
    return "note" if moved_any(optimizer, ledger) and row.dtype in FULL_PRECISION else "error"


def _patient(severity: Severity, steps: int, ledger: Ledger) -> Severity:
    """Too few steps to call it a fault: a note."""
    return severity if steps >= ledger.patience else "note"


def _decay_alone(row: TensorRow, ledger: Ledger) -> Cause | None:
    shown = decay_alone(row.changed.movements)
    if shown is None:
        return None
    severity: Severity = "note" if sibling_moved(row, ledger) else "warning"
    return DECAY_ALONE, _patient(severity, row.declared.trainable_steps, ledger), shown.optimizer or ""
