"""W: copies of trained weights that do not follow them, and weights trained beside their own adapters."""

from __future__ import annotations

from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Finding
from frostline.rules.rule import Rule, several, tensors

NEVER_FOLLOWS = Rule(
    "W410",
    "copy-never-follows",
    "warning",
    "L6",
    means="Weights that are called an average began as a copy of trained ones and have never moved since.",
    matters="What is evaluated or saved as the average is the model before training.",
    remedy="put the new average in place: ema = update(ema, params), and return it from the step",
    tells_apart="Equal bits at the first check, a name such as ema or avg, the original moved and the copy did not. A "
    "note where it is called a target, which may be set once in a while, and nothing where the name says nothing.",
)
BASE_TRAINS = Rule(
    "W411",
    "lora-base-trains",
    "warning",
    "L3",
    means="An adapter is trained, and so is the weight that it stands beside.",
    matters="The adapter alone is no longer the difference to the base model: shipped alone, it is another model.",
    remedy="give the optimizer the adapters only: wrt=nnx.LoRAParam, and differentiate by the same filter",
    tells_apart="Of one layer lora_a or lora_b and the weight beside them both moved inside a step.",
)

RULES = (NEVER_FOLLOWS, BASE_TRAINS)

AVERAGES = ("ema", "average", "avg", "polyak", "shadow")
COPIES = (*AVERAGES, "target", "teacher", "slow")
ADAPTERS = ("lora_a", "lora_b")


def find(ledger: Ledger) -> list[Finding]:
    """Copies at rest, and bases that are trained."""
    return [*_at_rest(ledger), *_bases(ledger)]


def _at_rest(ledger: Ledger) -> list[Finding]:
    groups: dict[tuple[str, bool], list[TensorRow]] = {}
    steps = max((optimizer.steps_executed for optimizer in ledger.optimizers), default=0)
    for row in ledger.tensors:
        resting = row.kind == "parameter" and row.declared.trainable is None and row.changed.verdict == "no"
        if (
            resting
            and row.copied_at == 0
            and not row.optimizers
            and _original_moved(row, ledger)
            and _is_called(row, COPIES)
        ):
            groups.setdefault((row.model, _is_called(row, AVERAGES)), []).append(row)
    return [
        NEVER_FOLLOWS.found(
            rows,
            f"{tensors(rows)} began as copies of trained weights and did not change in {several(steps, 'step')}",
            {"tensor": rows[0].name, "checks": rows[0].changed.checks},
            severity=None if average and steps >= ledger.patience else "note",
        )
        for (_, average), rows in groups.items()
    ]


def _original_moved(row: TensorRow, ledger: Ledger) -> bool:
    last = row.name.rpartition(".")[2]
    return any(
        other.optimizers and other.shape == row.shape and other.name.rpartition(".")[2] == last
        for other in ledger.tensors
        if other.changed.verdict == "yes"
    )


def _is_called(row: TensorRow, words: tuple[str, ...]) -> bool:
    return any(word in piece.lower() for piece in row.name.split(".")[:-1] for word in words)


def _bases(ledger: Ledger) -> list[Finding]:
    layers = {_layer(row) for row in ledger.tensors if row.name.rpartition(".")[2] in ADAPTERS and _trained(row)}
    groups: dict[str, list[TensorRow]] = {}
    for row in ledger.tensors:
        adapter = row.name.rpartition(".")[2] in ADAPTERS
        if not adapter and row.kind == "parameter" and row.owner.path in layers and _trained(row):
            groups.setdefault(row.model, []).append(row)
    return [
        BASE_TRAINS.found(rows, f"{tensors(rows)} beside LoRA adapters are trained together with these", {})
        for rows in groups.values()
    ]


def _layer(row: TensorRow) -> str:
    path = row.owner.path
    return path.removesuffix(".lora")


def _trained(row: TensorRow) -> bool:
    return any(move.place == "step" for move in row.changed.movements)
