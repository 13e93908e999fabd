"""L10: every model that is trained, or meant to be, is in the table, and the steps reach it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.causes.trainable.unseen import is_lent, is_pretrained
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.observed_run import ObservedRun, left_idle

KEPT_FORMER = (
    "the step goes on with the model that it was made with: hand it the new model and the new optimizer, or make it "
    "anew (a tf.function, a closure, default arguments)"
)


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Tensors of no model that a backward pass reached; models whose predecessor is stepped in their place."""
    strays: dict[str, list[TensorRow]] = {}
    for row in run.tensors:
        if not row.registered and row.reached_by_backward and not row.optimizers and row.changed.verdict == "no":
            strays.setdefault(row.model, []).append(row)
    for rows in strays.values():
        fact = f"backward passes reached {tensors(rows)} that no model lists and no optimizer holds"
        yield Violation(tuple(rows), fact, {"tensor": rows[0].name})
    for optimizer, made_at in left_idle(run).items():
        yield from _passed_by(run.optimizer(optimizer), made_at, run)


def _passed_by(idle: OptimizerRow, made_at: int, run: ObservedRun) -> Iterator[Violation]:
    """What an optimizer was made for, where others before and after it stepped a model of the very same shapes."""
    rows = [row for row in run.held_by(idle.id) if _is_left(row, run)]
    for other in run.optimizers if rows else ():
        since = other.last_step - made_at
        if since < run.patience or not other.checked_at or other.checked_at[0] > made_at:
            continue
        trained = [row for row in run.held_by(other.id) if row.declared.trainable]
        if _shapes(trained) != _shapes(rows):
            continue
        fact = (
            f"{idle.id} was made after step {made_at:,} for {tensors(rows)} of {rows[0].model} and never stepped: the "
            f"{several(since, 'step')} since then trained {trained[0].model}"
        )
        evidence: Evidence = {"optimizer": idle.id, "made_after_step": made_at, "stepped": other.id, "steps": since}
        yield Violation(tuple(rows), fact, evidence, hint=KEPT_FORMER)
        return


def _is_left(row: TensorRow, run: ObservedRun) -> bool:
    """Whether the tensor is declared trainable, did not move as far as is known, and nothing that stepped holds it."""
    alone = all(run.optimizer(holding.optimizer).steps_executed == 0 for holding in row.optimizers)
    return bool(row.declared.trainable) and row.changed.verdict != "yes" and alone


def _shapes(rows: Sequence[TensorRow]) -> Counter[tuple[int, ...]]:
    return Counter(row.shape for row in rows)


@by_row
def _pretrained(row: TensorRow, run: ObservedRun) -> str | None:
    return "its values are not those of an initialiser" if is_pretrained(row) else None


@by_row
def _lent(row: TensorRow, run: ObservedRun) -> str | None:
    return (
        f"all other weights of {row.model} were loaded, and no optimizer holds any" if is_lent(row.model, run) else None
    )


LAW = Law(
    "L10",
    "seeing",
    "error",
    statement="Every model that ran forward in training mode, every tensor that a backward pass reached and every "
    "model that an optimizer was made for is in the table, and the steps reach it.",
    matters="A model that nobody looks at can be trained, or not, without a word.",
    remedy="register the layer in its model (ModuleList, ParameterList, an attribute)",
    needs=(
        facts.TensorFound,
        facts.TensorSeen,
        facts.LayersUntracked,
        facts.VariablesUntracked,
        facts.ModulesRecreated,
        facts.OptimizerFound,
        facts.OptimizerIdle,
    ),
    cannot_see="A model that was made before the training and is called for the first time after the last check, where "
    "no optimizer holds it; a model with other shapes than the one that is stepped in its place.",
    excuses=(
        Excuse("trained before", "A network trained before, to measure or to guide by.", _pretrained),
        Excuse("lent", "A copy of a model that was made to compute gradients with.", _lent),
    ),
    violations=violations,
)
