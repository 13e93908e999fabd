"""L5: running statistics move in the forward passes of training, beside weights that are trained, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.ledger import TensorRow
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.observed_run import ObservedRun

NOTHING = ("none", "zero")
_FLOATS = ("float", "bfloat", "half", "double")


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Statistics of normalisations that stood still while steps enough trained the weights beside them, by model."""
    layers: dict[tuple[str, str], list[TensorRow]] = {}
    for row in run.tensors:
        if row.owner.role == "normalisation":
            layers.setdefault((row.model, row.owner.path), []).append(row)
    still: dict[str, list[TensorRow]] = {}
    steps: dict[str, int] = {}
    for (model, _), rows in layers.items():
        statistics = [row for row in rows if row.kind == "buffer" and row.dtype.startswith(_FLOATS)]
        never = all(row.changed.verdict == "no" for row in statistics) and _were_used(statistics)
        trained = max(_trained_steps(row, run) for row in rows)
        if statistics and never and trained >= run.patience:
            still.setdefault(model, []).extend(statistics)
            steps[model] = max(trained, steps.get(model, 0))
    for model, rows in still.items():
        called = "were only ever called in eval mode" if rows[0].owner.in_training is False else "were called"
        layer_count = len({row.owner.path for row in rows})
        fact = (
            f"running statistics of {model} never moved in {several(steps[model], 'step')} that trained the weights "
            f"beside them: {tensors(rows)} of {several(layer_count, 'normalisation')}, which {called}"
        )
        yield Violation(tuple(rows), fact, {"tensor": rows[0].name, "layers": layer_count, "steps": steps[model]})


def _were_used(statistics: Sequence[TensorRow]) -> bool:
    """Whether the layer was called; where calls are not seen, the zeros of its mean show that it never gathered any."""
    if any(row.owner.called is None for row in statistics):
        return any(row.zeros for row in statistics)
    return all(row.owner.called for row in statistics)


def _trained_steps(row: TensorRow, run: ObservedRun) -> int:
    """In how many steps of its optimizer a weight was trained; its flag was counted in those of all optimizers."""
    moves = (move for move in row.changed.movements if move.place == "step")
    declared = row.declared
    frozen = declared.trainable is False and not declared.flips
    if row.kind != "parameter" or frozen or all(move.gradient in NOTHING for move in moves):  # or it merely decays
        return 0
    executed = max((run.optimizer(each.optimizer).steps_executed for each in row.optimizers), default=0)
    return executed * declared.trainable_steps // max(1, run.steps) if declared.flips else executed


@by_row
def _loaded(row: TensorRow, run: ObservedRun) -> str | None:
    return "was loaded, and is kept by eval mode" if row.loaded and row.owner.in_training is False else None


@by_row
def _counted(row: TensorRow, run: ObservedRun) -> str | None:
    """Batches were counted in training mode, so the layer's momentum is 0."""
    counted = any(other.changed.verdict == "yes" and other.dtype.startswith("int") for other in run.module(row))
    return "its layer counted batches and kept the values: its momentum is 0" if counted else None


LAW = Law(
    "L5",
    "statistics",
    "warning",
    statement="Running statistics move in the forward passes that the script makes in training mode, and only there.",
    matters="At inference the layer normalises with values that have nothing to do with what was trained.",
    remedy="call model.train() before the loop (and training=True in a Keras loop of your own); or freeze the norms' "
    "weights too, so that it shows that they are meant to stay",
    needs=(facts.ModuleSeen, facts.Compared, facts.Moved),
    cannot_see="Statistics that are gathered twice for one batch, as where activations are recomputed.",
    beside=("L1",),
    excuses=(
        Excuse(
            "loaded",
            "Statistics of a checkpoint, kept on purpose by eval mode.",
            _loaded,
        ),
        Excuse(
            "momentum of 0",
            "The layer counts batches and keeps its values.",
            _counted,
        ),
    ),
    violations=violations,
)
