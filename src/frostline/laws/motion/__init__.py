"""L2: what is declared trainable in a model that is trained moves, and goes on moving."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import tensors
from frostline.core.ledger import TensorRow
from frostline.laws.causes.expectations import goes_with_source
from frostline.laws.causes.trainable.still import is_remade
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.motion import going_on
from frostline.laws.observed_run import ObservedRun


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Trainable tensors, model by model, that kept their bits through all steps of a run that trains the model.

    Then those that moved at first, and stood still to the end.
    """
    trained = {*run.trained_models} | {row.model for row in run.tensors if row.expected == "trained"}
    by_model: dict[str, list[TensorRow]] = {}
    for row in run.tensors:
        if row.model in trained and stood_still(row, run.patience):
            by_model.setdefault(row.model, []).append(row)
    steps = run.steps
    for model, rows in by_model.items() if steps >= run.patience else ():
        fact = f"{tensors(rows)} of {model}, which should train, did not change in {steps:,} steps"
        yield Violation(tuple(rows), fact, {"tensor": rows[0].name, "steps": steps})
    yield from going_on.violations(run)


def stood_still(row: TensorRow, patience: int) -> bool:
    """Whether the tensor has its first bits, though it was trainable for ``patience`` steps or expected to train."""
    if row.gone or row.sharded or not row.size or row.changed.verdict != "no":
        return False
    all_along = row.declared.first is not False and not row.declared.flips
    trainable = bool(row.declared.trainable) and (all_along or row.declared.trainable_steps >= patience)
    return row.expected == "trained" or (row.kind == "parameter" and trainable)


@by_row
def _goes_with_source(row: TensorRow, run: ObservedRun) -> str | None:
    return f"is a copy of {row.changed.near}, which did not change either" if goes_with_source(row, run) else None


@by_row
def _remade(row: TensorRow, run: ObservedRun) -> str | None:
    return f"{row.owner.type} makes it again in its forward passes, without a gradient" if is_remade(row, run) else None


LAW = Law(
    "L2",
    "motion",
    "error",
    statement="A tensor that is declared trainable in a model that is trained, or expected to train, moves, and goes "
    "on moving as long as its optimizer steps.",
    matters="A part of the model does not learn, and no loss says so.",
    remedy="look at its optimizer, its gradient and its flag in the table",
    needs=(facts.FlagDeclared, facts.Held, facts.Compared, facts.Moved, facts.StoodStill),
    cannot_see="Shards, of which a process may hold no element; tensors that stopped after the last check, which for "
    "checks at steps 1, 2, 4, 8, … is in the second half of the run.",
    beside=("L3", "L4", "L10"),
    excuses=(
        Excuse(
            "goes with its source",
            "A copy of what did not change either.",
            _goes_with_source,
        ),
        Excuse(
            "remade",
            "An average or the like, which its module makes again in every pass.",
            _remade,
        ),
        Excuse("converged", "In full precision, the updates are below the last place.", going_on.converged),
        Excuse("unnamed rows", "An embedding of which no batch names a row.", going_on.unnamed_rows),
        Excuse("unrouted", "Another expert, head or layer of its list goes on.", going_on.unrouted),
        Excuse("cancelled", "Its gradient is exactly zero, and the rest of its module goes on.", going_on.cancelled),
    ),
    violations=violations,
)
