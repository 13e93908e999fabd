"""T: causes for which no optimizer holds a tensor that is declared trainable, or holds another in its place."""

from __future__ import annotations

from frostline.core.events import StepCompiled
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Mitigation
from frostline.laws.causes.trainable.misdirection import exchanged, gone_on, holds, holds_former, namesakes
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether, predecessors
from frostline.laws.observed_run import ObservedRun


def _other_tensors(still: Still) -> Explained | None:
    """An optimizer steps something else in the tensor's place."""
    row, run = still.row, still.run
    if row.changed.verdict == "yes":
        found = gone_on(row, run)
        if found is None:
            return None
        optimizer, since = found
        return Explained(optimizer.id, optimizer.last_step - since, _since(still, optimizer.id, since))
    if still.situation == "at rest":  # a copy of the optimizer that holds it steps other tensors
        return next(
            (
                Explained(each.id, each.steps_executed, _instead(still, each.id))
                for each in run.optimizers
                if each.steps_executed and holds_former(each, row)
            ),
            None,
        )
    if still.situation != "unheld" or still.late:
        return None
    instead = _in_its_place(still)
    return Explained(instead, row.declared.trainable_steps, _instead(still, instead)) if instead else None


def _since(still: Still, optimizer: str, step: int) -> str:
    if still.row.replaced_at is not None:
        return (
            f"did not change since they were replaced at step {step}: {optimizer} holds the former ones, which no "
            + ("model has")
        )
    return f"are in no step since step {step}: {optimizer} holds copies, which no model has"


def _instead(still: Still, optimizer: str) -> str:
    """What the optimizer has in the tensor's place."""
    if still.run.shown(still.row, "gradient-elsewhere") is not None:
        return f"did not change: their gradients go into {optimizer}, which updates other tensors of the same names"
    other = exchanged(still.row, still.run)
    others = f"those of {other[1].model}" if other else "other tensors, which no model has"
    return f"did not change: {optimizer} holds {others}"


def _in_its_place(still: Still) -> str | None:
    """The optimizer that steps what the tensor replaced, or its namesake in another model."""
    row, run = still.row, still.run
    former = predecessors(row, run)
    for optimizer in run.optimizers:
        if not optimizer.steps_executed:
            continue
        beside = any(other.model == row.model for other, _ in run.holdings[optimizer.id])
        if optimizer.foreign_shapes and (beside or holds_former(optimizer, row)):
            return optimizer.id
        if any(holds(optimizer, each) for each in former):
            return optimizer.id
    elsewhere = run.shown(row, "gradient-elsewhere")
    if elsewhere is not None:
        return elsewhere.optimizer
    other = exchanged(row, run)
    return other[0].id if other is not None else None


OTHER_TENSORS = StillCause(
    code="T202",
    slug="optimizer-holds-other-tensors",
    severity="error",
    law="L3",
    means="The optimizer holds tensors that belong to no live model, and the model's own are held by nobody.",
    matters="Steps update tensors that no model has: the loss stays where it is and nothing is reported.",
    remedy="make the optimizer after the model has its final tensors (after loading, converting, wrapping, resizing)",
    tells_apart="The optimizer's tensors have the shapes of the model's and are other objects.",
    explains=_other_tensors,
    says=lambda still: f"{still.what} {still.explained.why}",
)


def _unfrozen_late(still: Still) -> Explained | None:
    """The optimizer or step was made when the flag was off."""
    row, run = still.row, still.run
    if still.situation == "held":
        before = all(holding.captured is False for holding in still.holdings)
        compiled = row.declared.first is False and bool(run.events_of(StepCompiled))
        return Explained(still.optimizer, still.steps) if before or (still.gradients == {"none"} and compiled) else None
    if still.situation != "unheld":
        return None
    if still.late:
        concerned = still.model_is_trained or row.reached_by_backward
        return Explained("", still.steps) if concerned else None
    if any(holding.captured is False for holding in row.optimizers):
        return Explained(row.optimizers[0].optimizer, still.steps)
    return None


def _norm_left_out(still: Still) -> str | None:
    """All else that was unfrozen with this normalisation is held: they were chosen so."""
    row = still.row
    if row.owner.role != "normalisation" or not row.declared.flips:
        return None
    when = row.declared.flips[-1].step
    beside = [
        other
        for other in still.run.models[row.model]
        if other.kind == row.kind
        and other.owner.role != "normalisation"
        and any(flip.now and flip.step == when for flip in other.declared.flips)
    ]
    if not beside or not all(any(holding.listed for holding in other.optimizers) for other in beside):
        return None
    return f"all {len(beside)} other tensors that were unfrozen before step {when} are held by an optimizer"


def _take_in(still: StillTogether) -> str | None:
    """How what was made before learns of the flag: a compiled step is compiled again, an optimizer is given more."""
    if still.mitigated is not None and still.mitigated.hint:
        return None
    if any(optimizer.kind == "compiled-step" for optimizer in still.run.optimizers):
        return (
            "compile again after the flag is turned on: model.compile(…), which makes the step and its optimizer anew"
        )
    return "give the optimizer what was unfrozen: optimizer.add_param_group({'params': …})"


UNFROZEN_LATE = StillCause(
    code="T209",
    slug="unfrozen-after-compile",
    severity="error",
    law="L2",
    means="The flag was turned on after the optimizer or compiled step was made; the step does not know it.",
    matters="Gradual unfreezing that unfreezes nothing: flags and summary say trainable.",
    remedy="add the parameters to the optimizer (add_param_group), or compile again",
    tells_apart="The flag was off at the first check or at capture and is on now; no optimizer updates the tensor.",
    explains=_unfrozen_late,
    says=lambda still: f"{still.what} did not change since they were unfrozen: the step was made before",
    advice=_take_in,
    mitigations=(
        Mitigation(
            "normalisations left out",
            "A normalisation, where everything else that was unfrozen with it is held, as with train_bn=False.",
            _norm_left_out,
            hint="right where normalisations were meant to stay: freeze them by flag too, so that it shows",
        ),
    ),
)


def _not_held(still: Still) -> Explained | None:
    if still.situation != "unheld":
        return None
    forgotten = still.row.reached_by_backward and _looks_forgotten(still.row, still.run)
    return Explained("", still.steps) if still.model_is_trained or forgotten else None


def _looks_forgotten(row: TensorRow, run: ObservedRun) -> bool:
    """Whether a network in no optimizer looks forgotten rather than pretrained: in training mode, as initialised.

    A pretrained network that only passes gradients on (a perceptual loss, a guide) is in eval mode or was loaded. A
    copy that was made of another to compute gradients with is not meant to be trained.
    """
    initial = row.owner.default_initialised is not False and not row.loaded
    return bool(row.declared.training) and initial and not _is_scratch(row, run)


def _is_scratch(row: TensorRow, run: ObservedRun) -> bool:
    """Whether the tensor is of a copy of another model that was made during training, or that other copies followed."""
    if row.copied_at is None:
        return False
    return row.copied_at > 0 or any(
        other.copied_at and other.model != row.model and namesakes(row, other) for other in run.tensors
    )


def _as_buffer(still: Still) -> str | None:
    return "it is registered as a buffer that asks for gradients" if still.row.as_buffer else None


def _not_reached(still: Still) -> str | None:
    if still.row.reached_by_backward:
        return None
    return (
        "no backward pass reached it" if still.row.reached_by_backward is False else "no backward pass was seen there"
    )


def _why_not_held(still: StillTogether) -> str:
    if all(row.as_buffer for row in still.rows):
        return f"{still.what} did not change: parameters() does not list a buffer, and no optimizer holds them"
    return f"{still.what} did not change: no optimizer holds them"


NOT_HELD = StillCause(
    code="T201",
    slug="not-in-any-optimizer",
    severity="error",
    law="L3",
    means="A tensor declared trainable is held by no optimizer.",
    matters="It gets gradients and is never updated: a group was forgotten, or it was meant to be frozen.",
    remedy="add it to the optimizer, or freeze it if it is meant to stay: requires_grad_(False), trainable = False",
    tells_apart="The flag was on all the time (else T209), and the optimizer holds nothing strange (else T202).",
    explains=_not_held,
    says=_why_not_held,
    mitigations=(
        Mitigation("a buffer", "A script may want the gradients of a mask or a grid, and not to train it.", _as_buffer),
        Mitigation("not reached", "No gradient arrived: an optimizer could not have trained it either.", _not_reached),
    ),
)
