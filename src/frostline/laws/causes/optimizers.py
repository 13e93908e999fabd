"""W: what optimizers hold, and what they do with it."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several, tensors, were
from frostline.core.events import GradientLeft, StateMisshapen, SteppedTogether
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation, proven
from frostline.laws.causes.networks import OTHER_OPTIMIZER
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]
NEXT_TO_NOTHING = 1e-5  # of the size of a weight, a step: a scale of 32,768 leaves a thousandth part of that


def _frozen_held(run: ObservedRun) -> Iterator[Case]:
    for optimizer in run.optimizers:
        if optimizer.kind != "optimizer":
            continue
        held = [
            row
            for row in run.held_by(optimizer.id)
            if row.declared.trainable is False and row.declared.flip_count <= 1 and row.changed.verdict == "no"
        ]
        if held and len(held) < optimizer.holds:
            yield Case(
                held,
                f"{optimizer.id} holds {tensors(held)} declared frozen; none of them moved",
                {"optimizer": optimizer.id},
            )


FROZEN_HELD = Cause(
    code="W401",
    slug="frozen-in-optimizer",
    severity="note",
    law="L3",
    means="A frozen tensor is held by an optimizer.",
    matters="Harmless while it has no gradient; decay, momentum or a left-over gradient would move it.",
    remedy="give the optimizer only the parameters that require a gradient",
    tells_apart="Nothing moved: as soon as something does, F101 to F103 say what.",
    cases=_frozen_held,
)


def _stepped_together(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(SteppedTogether):
        if event.tensors:
            yield Case(
                event.tensors,
                f"{several(len(event.tensors), 'tensor')} {were(len(event.tensors))} updated by {event.other} and by "
                f"{event.optimizer} on the same backward pass",
                {"optimizers": [event.other, event.optimizer], "seen_at_step": event.step},
            )


HELD_TWICE = Cause(
    code="W402",
    slug="held-twice",
    severity="warning",
    law="L3",
    means="One tensor is updated by two optimizers in the same phase: two steps on one backward pass.",
    matters="It gets twice the learning rate, or two different rules at once.",
    remedy="give each parameter to one optimizer",
    tells_apart="Two optimizers stepped one after the other on the same gradients of the same tensor.",
    cases=_stepped_together,
)


def _misaligned(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(StateMisshapen):
        yield Case(
            event.tensors,
            f"{event.optimizer} keeps state of another shape for {several(len(event.tensors), 'tensor')}",
            {"optimizer": event.optimizer, "seen_at_step": event.step},
        )
    for optimizer in run.optimizers:
        pairs = [
            (row, holding.state_of)
            for row, holding in run.holdings[optimizer.id]
            if holding.state_of not in (None, row.name, *row.aliases)
        ]
        if pairs and optimizer.steps_executed:
            yield Case(
                [row for row, _ in pairs],
                f"{optimizer.id} updates {several(len(pairs), 'tensor')} with the state of other tensors",
                {
                    "optimizer": optimizer.id,
                    "state": [f"{row.name} with the state of {other}" for row, other in pairs],
                },
            )


MISALIGNED = Cause(
    code="W403",
    slug="optimizer-state-misaligned",
    severity="error",
    law="L3",
    means="The optimizer's state (moments, averages) belongs to other tensors than those it updates.",
    matters="Matched by position after flags or order changed, one layer is moved by another's history.",
    remedy="make a new optimizer after changing flags or order, and load state only into the same layout",
    tells_apart="The state's shape or the variable it was made for differs from the tensor it is applied to.",
    cases=_misaligned,
)


def _left_gradients(run: ObservedRun) -> Iterator[Case]:
    """Gradients of another phase; those of one backward pass for two optimizers are merely stepped at other paces."""
    for event in run.events_of(GradientLeft):
        if event.tensors and not event.together:
            many = several(len(event.tensors), "tensor")
            yield Case(
                event.tensors,
                f"{event.optimizer} applied gradients that were left in {many} by the phase of {event.other}",
                {"optimizer": event.optimizer, "left_by": event.other, "seen_at_step": event.step},
            )


ACCUMULATE = Cause(
    code="W405",
    slug="gradients-accumulate-across-optimizers",
    severity="warning",
    law="L3",
    means="Gradients of one phase were still there in the next phase and were applied by another optimizer's step.",
    matters="The discriminator's step applies what the generator's loss left behind.",
    remedy="clear the gradients of a network just before its own backward pass",
    tells_apart="Not accumulation: another optimizer stepped in between, and did not share this backward pass.",
    cases=_left_gradients,
)


def _empty_steps(run: ObservedRun) -> Iterator[Case]:
    for optimizer in run.optimizers:
        if optimizer.kind != "compiled-step" or not optimizer.steps_executed or optimizer.holds:
            continue
        model = optimizer.trains_model or optimizer.id
        rows = [row for row in run.tensors if row.kind == "parameter" and _belongs(row, model)]
        if rows:
            ran = several(optimizer.steps_executed, "time")
            yield Case(
                rows,
                f"the train step of {model} ran {ran} and captured nothing: 0 of {tensors(rows)} can move",
                {"optimizer": optimizer.id, "steps": optimizer.steps_executed, "captured": 0},
            )


def _belongs(row: TensorRow, model: str) -> bool:
    return any(name == model or name.startswith(f"{model}.") for name in (row.name, *row.aliases))


RUNS_EMPTY = Cause(
    code="W406",
    slug="optimizer-runs-empty",
    severity="error",
    law="L4",
    means="The train step of a model captured no variable: it runs and trains nothing.",
    matters="Compile, then freeze, then train: since Keras 3 the flags are read at the first step, not at compile.",
    remedy="switch the flags around each phase yourself, or use a train_step with two optimizers",
    tells_apart="The step executed with an empty list of variables.",
    symptoms=("T",),
    cases=_empty_steps,
)


def scaled_on_one_side(run: ObservedRun) -> list[Case]:
    """Optimizers whose steps took gradients that a scale had multiplied or divided, and not both."""
    cases = []
    for optimizer in run.optimizers:
        if optimizer.loss_scaled == optimizer.gradients_unscaled or optimizer.steps_executed < run.patience:
            continue
        steps, rows = several(optimizer.steps_executed, "step"), run.held_by(optimizer.id)
        if optimizer.loss_scaled:
            fact = f"{optimizer.id} made {steps} on gradients of a scaled loss, and nothing divided them by the scale"
            hint = "call scaler.step(optimizer) and scaler.update() in place of optimizer.step()"
        else:
            fact = f"{optimizer.id} divided the gradients of {steps} by its scale, and its scale_loss was never called"
            hint = None
        evidence: Evidence = {
            "optimizer": optimizer.id,
            "steps": optimizer.steps_executed,
            "moved_share": optimizer.moved_share,
        }
        cases.append(Case(rows, fact, evidence, hint=hint, mitigated=proven((MOVES,), optimizer)))
    return cases


def _moves(optimizer: OptimizerRow) -> str | None:
    share = optimizer.moved_share
    if share is None or share < NEXT_TO_NOTHING * optimizer.steps_executed:
        return None
    return f"weights moved by up to {share:.1%} of their size in all"


MOVES = Mitigation[OptimizerRow](
    "moves all the same",
    "Weights moved as far as with gradients of a scaled loss: the script may multiply its loss by itself.",
    _moves,
    hint="where the script does not multiply the loss by the scale itself, let optimizer.scale_loss(loss) do it",
)
SCALED_ONCE = Cause(
    code="W413",
    slug="loss-scale-one-sided",
    severity="error",
    law="L4",
    means="The loss is multiplied by a scale that its gradients are not divided by, or the other way round.",
    matters="Steps are thousands of times too large or too small; a scale of 32,768 leaves next to nothing of a rate.",
    remedy="differentiate optimizer.scale_loss(loss) in place of the loss",
    tells_apart="A scaler multiplied the loss whose backward pass came last, and the optimizer stepped without it; or "
    "a LossScaleOptimizer was given gradients, its scale_loss was never called, and its steps moved next to nothing.",
    mitigations=(MOVES,),
    cases=scaled_on_one_side,
)

CAUSES = (FROZEN_HELD, HELD_TWICE, MISALIGNED, OTHER_OPTIMIZER, ACCUMULATE, RUNS_EMPTY, SCALED_ONCE)
