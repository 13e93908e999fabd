"""L3: what optimizers hold is what the models declare trainable."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several
from frostline.laws.causes.cause import Evidence
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Optimizers that step and hold no tensor of any model: known without reading a bit."""
    held = {holding.optimizer for row in run.tensors for holding in row.optimizers if holding.listed}
    trainable = any(row.kind == "parameter" and row.declared.trainable for row in run.tensors)
    for optimizer in run.optimizers:
        idle = optimizer.by_hand or optimizer.stateless or optimizer.steps_executed < run.patience
        if idle or not optimizer.checks or optimizer.id in held or not trainable:
            continue
        foreign = (
            f", and {several(len(optimizer.foreign_shapes), 'tensor')} of no model" if optimizer.foreign_shapes else ""
        )
        fact = f"{optimizer.id} stepped {several(optimizer.steps_executed, 'time')} and holds no tensor of any model"
        evidence: Evidence = {
            "optimizer": optimizer.id,
            "steps": optimizer.steps_executed,
            "foreign": len(optimizer.foreign_shapes),
        }
        yield Violation((), fact + foreign, evidence, optimizer=optimizer.id)


LAW = Law(
    "L3",
    "holding",
    "error",
    statement="What optimizers hold is what the models declare trainable: nothing missing, nothing foreign, nothing "
    "twice.",
    matters="An optimizer steps only what it was given; the rest stays as it was, or is stepped by another.",
    remedy="make the optimizer after the model has its final parameters, and give it model.parameters()",
    needs=(facts.OptimizerFound, facts.OptimizerSeen, facts.Held),
    cannot_see="What an optimizer of an unknown library holds, where it is no torch, Keras or optax optimizer.",
    violations=violations,
)
