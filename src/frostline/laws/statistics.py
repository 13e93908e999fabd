"""L5: running statistics move in the forward passes of training, beside weights that are trained, and only there."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.ledger import TensorRow
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.observed_run import ObservedRun

_FLOATS = ("float", "bfloat", "half", "double")


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Statistics of normalisations that stood still while the weights beside them were trained, model by model."""
    layers: dict[tuple[str, str], list[TensorRow]] = {}
    for row in run.tensors:
        if row.owner.role == "normalisation":
            layers.setdefault((row.model, row.owner.path), []).append(row)
    still: dict[str, list[TensorRow]] = {}
    for (model, _), rows in layers.items():
        statistics = [row for row in rows if row.kind == "buffer" and row.dtype.startswith(_FLOATS)]
        never = all(row.changed.verdict == "no" and row.owner.called for row in statistics)
        if statistics and never and any(_trained(row) for row in rows):
            still.setdefault(model, []).extend(statistics)
    steps = run.steps
    for model, rows in still.items() if steps >= run.patience else ():
        called = "were only ever called in eval mode" if rows[0].owner.in_training is False else "were called"
        layer_count = len({row.owner.path for row in rows})
        fact = (
            f"running statistics of {model} never moved in {several(steps, 'step')} that trained the weights beside "
            f"them: {tensors(rows)} of {several(layer_count, 'normalisation')}, which {called}"
        )
        yield Violation(tuple(rows), fact, {"tensor": rows[0].name, "layers": layer_count, "steps": steps})


def _trained(row: TensorRow) -> bool:
    return row.kind == "parameter" and any(move.place == "step" for move in row.changed.movements)


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
