"""W: copies of trained weights that do not follow them, and weights trained beside their own adapters."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several, tensors
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import FEW_STEPS, Case, Cause
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]

ADAPTERS = ("lora_a", "lora_b")


def _at_rest(run: ObservedRun) -> Iterator[Case]:
    """Copies that each step hands back as it was handed them, though a step moves what they were copied from."""
    groups: dict[str, list[TensorRow]] = {}
    originals = {
        (other.shape, _last(other)) for other in run.tensors if other.optimizers and other.changed.verdict == "yes"
    }
    steps = max((optimizer.steps_executed for optimizer in run.optimizers), default=0)
    for row in run.tensors:
        copied = row.copied_at == 0 and row.changed.verdict == "no" and (row.shape, _last(row)) in originals
        if copied and run.shown(row, "passed-through") is not None:
            groups.setdefault(row.model, []).append(row)
    for rows in groups.values():
        yield Case(
            rows,
            f"{tensors(rows)} began as copies of trained weights and did not change in {several(steps, 'step')}",
            {"tensor": rows[0].name, "checks": rows[0].changed.checks},
            mitigated=FEW_STEPS.proven((steps, run)),
        )


def _last(row: TensorRow) -> str:
    return row.name.rpartition(".")[2]


NEVER_FOLLOWS = Cause(
    code="W410",
    slug="copy-never-follows",
    severity="warning",
    law="L6",
    means="Weights that the step carries along, such as an average, began as copies of trained ones and did not move.",
    matters="What is evaluated or saved as the average is the model before training.",
    remedy="put the new average in place: ema = update(ema, params), and return it from the step",
    tells_apart="Equal bits at the first check; the original moved and the copy did not; the trace shows that the step "
    "hands it back as it was handed it, and that no gradient is computed from it, as it is from a target in a loss.",
    mitigations=(FEW_STEPS,),
    cases=_at_rest,
)


def _bases(run: ObservedRun) -> Iterator[Case]:
    layers = {row.owner.path.removesuffix(".lora") for row in run.tensors if _last(row) in ADAPTERS and _trained(row)}
    groups: dict[str, list[TensorRow]] = {}
    for row in run.tensors:
        beside = row.kind == "parameter" and _last(row) not in ADAPTERS
        if beside and row.owner.path.removesuffix(".base_module") in layers and _trained(row):
            groups.setdefault(row.model, []).append(row)
    for rows in groups.values():
        yield Case(rows, f"{tensors(rows)} beside LoRA adapters are trained together with these")


def _trained(row: TensorRow) -> bool:
    return any(move.place == "step" for move in row.changed.movements)


BASE_TRAINS = Cause(
    code="W411",
    slug="lora-base-trains",
    severity="warning",
    law="L3",
    means="An adapter is trained, and so is the weight that it stands beside.",
    matters="The adapter alone is no longer the difference to the base model: shipped alone, it is another model.",
    remedy="give the optimizer the adapters only: wrt=nnx.LoRAParam, and differentiate by the same filter",
    tells_apart="Of one layer lora_a or lora_b and the weight beside them both moved inside a step.",
    cases=_bases,
)

CAUSES = (NEVER_FOLLOWS, BASE_TRAINS)
