"""T, for whole optimizers: steps that were skipped, never made, or trained nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core.amounts import several, tensors
from frostline.core.events import ModelUsed
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.laws.causes.cause import FEW_STEPS, Case, Evidence, Mitigation
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether, mostly_skipped, unread
from frostline.laws.observed_run import ObservedRun


def _skipping(still: Still) -> Explained | None:
    """An optimizer that holds the tensor, or was to hold it, skipped its steps."""
    if still.situation == "skipped":
        holdings = still.row.optimizers
        return Explained(next(each.optimizer for each in holdings if _skips(still.run, each.optimizer)))
    any_skips = any(_skips(still.run, each.optimizer) for each in still.holdings)
    return Explained(still.optimizer) if still.situation == "held" and any_skips else None


def _skips(run: ObservedRun, optimizer: str) -> bool:
    return mostly_skipped(run.optimizer(optimizer))


def _skipped(run: ObservedRun, explained: set[str]) -> Iterator[Case]:
    for optimizer in run.optimizers:
        held = run.held_by(optimizer.id)
        if mostly_skipped(optimizer) and not unread(optimizer) and not any(row.name in explained for row in held):
            asked = optimizer.steps_executed + optimizer.steps_skipped
            yield Case(
                held,
                f"{optimizer.id} skipped {optimizer.steps_skipped} of {several(asked, 'step')}",
                {"optimizer": optimizer.id, "executed": optimizer.steps_executed, "skipped": optimizer.steps_skipped},
            )


SKIPPED = StillCause(
    code="T207",
    slug="steps-skipped",
    severity="error",
    law="L4",
    means="All or most steps of the optimizer were skipped.",
    matters="In mixed precision a step with an overflow is dropped without a word.",
    remedy="look at the loss scale and at what makes the gradients infinite",
    tells_apart="The scaler was asked to step and the optimizer's step did not run.",
    explains=_skipping,
    of_optimizers=_skipped,
)


def _unassigned(still: Still) -> Explained | None:
    """A step hands back new values, and nobody put them in place."""
    unassigned = still.situation == "held" and any(holding.unassigned for holding in still.holdings)
    return Explained(still.optimizer, still.steps, _used(still)) if unassigned else None


def _used(still: Still) -> str:
    """That a model with the tensor was called or written after steps whose new weights stayed outside it."""
    used = any(still.row.name in event.tensors for event in still.run.events_of(ModelUsed))
    return ", and the model was used all the same" if used else ""


def _kept_outside(still: Still) -> str | None:
    fitted = still.run.optimizer(still.optimizer).trains_model is not None
    return None if fitted or _used(still) else "no call and no file used the model since: the script keeps the values"


def _put_in_place(still: StillTogether) -> str:
    if still.run.optimizer(still.rows[0].optimizers[0].optimizer).trains_model:
        return "return the new variables from train_step, in the place of those that it was given"
    return "assign what the step hands back to the model's variables before you save, evaluate or call it"


def _idle(run: ObservedRun, explained: set[str]) -> Iterator[Case]:
    """Optimizers that never stepped, or whose steps could change nothing."""
    for optimizer in run.optimizers:
        held = run.held_by(optimizer.id)
        if unread(optimizer) or mostly_skipped(optimizer):
            continue
        if not optimizer.steps_executed and optimizer.backwards >= run.patience:
            yield from _never_stepped(optimizer, [row for row in held if row.name not in explained], run)
        elif _should_train(optimizer, held) and not any(_can_change(row) for row in held):
            yield _trained_nothing(optimizer, held, run)


def _never_stepped(optimizer: OptimizerRow, held: list[TensorRow], run: ObservedRun) -> Iterator[Case]:
    """Gradients were computed for what the optimizer holds, and nobody ever applied them.

    What moved all the same, before any step, was written by the script: from a search that makes its own steps, say.
    """
    alone = [
        row
        for row in held
        if row.declared.trainable and row.changed.verdict == "no"
        if not row.changed.before_training
        if not any(run.optimizer(holding.optimizer).steps_executed for holding in row.optimizers)
    ]
    if not any(row.reached_by_backward for row in alone):
        return
    passes = several(optimizer.backwards, "backward pass", "backward passes")
    window = next((group["accumulates"] for group in optimizer.groups if group.get("accumulates")), None)
    why = f", because it accumulates {window} of them" if window else ""
    evidence: Evidence = {
        "optimizer": optimizer.id,
        "steps": 0,
        "backward_passes": optimizer.backwards,
        "accumulates": window,
    }
    yield Case(alone, f"{optimizer.id} never stepped in {passes}{why}: {tensors(alone)} did not change", evidence)


def _should_train(optimizer: OptimizerRow, held: Sequence[TensorRow]) -> bool:
    known = optimizer.kind == "optimizer" or (optimizer.stateless and bool(held))
    return known and bool(optimizer.steps_executed) and not optimizer.foreign_shapes and not optimizer.by_hand


def _can_change(row: TensorRow) -> bool:
    declared = row.declared
    return bool(declared.trainable or declared.first or declared.flip_count) or row.changed.verdict != "no"


def _trained_nothing(optimizer: OptimizerRow, held: Sequence[TensorRow], run: ObservedRun) -> Case:
    why = "it holds no tensor" if not held else f"all {tensors(held)} it holds are declared frozen"
    steps = optimizer.steps_executed
    return Case(
        held,
        f"{optimizer.id} executed {several(steps, 'step')} and nothing changed: {why}",
        {"optimizer": optimizer.id, "steps": steps, "groups": len(optimizer.groups)},
        mitigated=FEW_STEPS.proven((steps, run)),
    )


NOTHING = StillCause(
    code="T208",
    slug="nothing-trained",
    severity="error",
    law="L4",
    means="An optimizer executed steps and no tensor changed: it holds nothing that can change, or what it handed "
    "back was never put in place.",
    matters="The run ends normally, the loss is logged, and the model is the one you started from.",
    remedy="look at what the optimizer was given and at the flags when it was made",
    tells_apart="It concerns the whole optimizer; a cause that explains each tensor is reported instead.",
    explains=_unassigned,
    says=lambda still: f"{still.held}: the new values of its steps were never assigned{still.explained.why}",
    advice=_put_in_place,
    mitigations=(Mitigation("kept outside", "The script keeps the new values itself and uses them.", _kept_outside),),
    of_optimizers=_idle,
)
