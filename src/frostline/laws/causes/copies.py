"""W: copies of trained weights that do not follow them, and weights trained beside their own adapters."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several, tensors
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import FEW_STEPS, Case, Cause, Mitigation
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]

AVERAGES = ("ema", "average", "avg", "polyak", "shadow")
COPIES = (*AVERAGES, "target", "teacher", "slow")
ADAPTERS = ("lora_a", "lora_b")


def _at_rest(run: ObservedRun) -> Iterator[Case]:
    groups: dict[tuple[str, bool], list[TensorRow]] = {}
    originals = {
        (other.shape, _last(other)) for other in run.tensors if other.optimizers and other.changed.verdict == "yes"
    }
    steps = max((optimizer.steps_executed for optimizer in run.optimizers), default=0)
    for row in run.tensors:
        resting = row.kind == "parameter" and row.declared.trainable is None and row.changed.verdict == "no"
        copied = resting and row.copied_at == 0 and not row.optimizers
        if copied and (row.shape, _last(row)) in originals and _is_called(row, COPIES):
            groups.setdefault((row.model, _is_called(row, AVERAGES)), []).append(row)
    for rows in groups.values():
        yield Case(
            rows,
            f"{tensors(rows)} began as copies of trained weights and did not change in {several(steps, 'step')}",
            {"tensor": rows[0].name, "checks": rows[0].changed.checks},
            mitigated=FEW_STEPS.proven((steps, run)) or A_TARGET.proven(rows[0]),
        )


def _last(row: TensorRow) -> str:
    return row.name.rpartition(".")[2]


def _is_called(row: TensorRow, words: tuple[str, ...]) -> bool:
    return any(word in piece.lower() for piece in row.name.split(".")[:-1] for word in words)


def _a_target(row: TensorRow) -> str | None:
    return None if _is_called(row, AVERAGES) else f"{row.name} is not called an average"


A_TARGET = Mitigation("a target", "What is called a target or teacher may be set once in a while, or never.", _a_target)
NEVER_FOLLOWS = Cause(
    code="W410",
    slug="copy-never-follows",
    severity="warning",
    law="L6",
    means="Weights that are called an average began as a copy of trained ones and have never moved since.",
    matters="What is evaluated or saved as the average is the model before training.",
    remedy="put the new average in place: ema = update(ema, params), and return it from the step",
    tells_apart="Equal bits at the first check, a name such as ema or avg, the original moved and the copy did not. "
    "Nothing is said where the name says nothing.",
    mitigations=(FEW_STEPS, A_TARGET),
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
