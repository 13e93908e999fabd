"""T: declared trainable, yet no bit changed after the executed steps."""

from __future__ import annotations

from frostline.core.columns.unlooked import why_unknown
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding
from frostline.laws.causes.cause import Case, Evidence, Proven, flips_of
from frostline.laws.causes.trainable.idle_optimizers import NOTHING, SKIPPED
from frostline.laws.causes.trainable.no_effect import DECAY_ALONE, ROUNDED, UNCHANGED, ZERO_GRADIENT, ZERO_RATE
from frostline.laws.causes.trainable.no_gradient import NO_GRADIENT
from frostline.laws.causes.trainable.not_held import NOT_HELD, OTHER_TENSORS, UNFROZEN_LATE
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether
from frostline.laws.causes.trainable.traced import CAPTURED, GRADIENT_UNUSED, RESULT_DROPPED
from frostline.laws.causes.trainable.unseen import NEVER_TRACKED, UNREGISTERED
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES", "find"]

# In the order in which they are asked: what a trace proves, what optimizers hold in the tensor's place, then flags,
# rates and gradients, and last what no cause is known for.
CAUSES: tuple[StillCause, ...] = (
    CAPTURED, RESULT_DROPPED, GRADIENT_UNUSED, OTHER_TENSORS, DECAY_ALONE, NEVER_TRACKED, UNREGISTERED, UNFROZEN_LATE,
    ZERO_RATE, SKIPPED, NOTHING, NOT_HELD, NO_GRADIENT, ZERO_GRADIENT, ROUNDED, UNCHANGED,
)  # fmt: skip


def find(run: ObservedRun) -> list[Finding]:
    """Explain every tensor that should have moved and did not, then the optimizers that trained nothing."""
    groups: dict[tuple[str, ...], list[tuple[StillCause, Still, Explained, Proven | None]]] = {}
    for row in run.tensors:
        known = _explained(row, run)
        if known is not None:
            cause, still, explained = known
            mitigated = cause.weight(still, explained)
            weight = mitigated.name if mitigated is not None else ""
            key = (cause.slug, weight, explained.optimizer, row.model, explained.why)
            groups.setdefault(key, []).append((cause, still, explained, mitigated))
    found = [_finding(group) for group in groups.values()]
    names = {name for finding in found for name in finding.tensors}
    return found + [
        cause.finding(case) for cause in CAUSES if cause.of_optimizers for case in cause.of_optimizers(run, names)
    ]


def _explained(row: TensorRow, run: ObservedRun) -> tuple[StillCause, Still, Explained] | None:
    """The first cause that explains why the tensor was not trained, if any does."""
    if row.kind == "buffer" or not row.declared.trainable or not row.size:
        return None
    still = Still(row, run)
    for cause in CAUSES:
        explained = cause.explains(still)
        if explained is not None:
            return cause, still, explained
    return None


def _finding(group: list[tuple[StillCause, Still, Explained, Proven | None]]) -> Finding:
    cause, first, explained, mitigated = group[0]
    still = StillTogether([each for _, each, _, _ in group], explained, mitigated)
    hint = cause.advice(still) if cause.advice else None
    evidence = _evidence(cause, first, explained.optimizer)
    return cause.finding(Case(still.rows, cause.says(still), evidence, hint=hint, mitigated=mitigated))


def _evidence(cause: StillCause, still: Still, optimizer: str) -> Evidence:
    row = still.row
    evidence: Evidence = {
        "tensor": row.name,
        "checks": row.changed.checks,
        "unchanged_until_step": row.changed.checked_until,
        "flag_at_first_look": row.declared.first,
        "flips": flips_of(row),
        "applied_at": still.run.applied_at(row),
        "dtype": row.dtype,
        "reached_by_backward": row.reached_by_backward,
        "called": row.owner.called,
        "recorded": row.owner.recorded,
        "gradient_cleared": row.cleared or None,
    }
    if cause is NO_GRADIENT and row.cleared is None:
        evidence["gradient_cleared"] = f"unknown: {why_unknown('cleared', still.run.framework)}"
    if optimizer and all(holding.optimizer != optimizer for holding in row.optimizers):
        evidence["found_in"] = optimizer
    for holding in row.optimizers[:1]:
        held_in = still.run.optimizer(holding.optimizer)
        evidence |= {
            "optimizer": holding.optimizer,
            "group": holding.group,
            "steps_executed": held_in.steps_executed,
            "steps_skipped": held_in.steps_skipped or None,
            "lr": holding.lr,
            "largest_lr": holding.max_lr,
            "weight_decay": holding.weight_decay,
            "gradients_at_checks": ", ".join(f"{state} {count}" for state, count in holding.gradients.items()) or None,
            "flag_when_captured": holding.captured,
            "largest_update_ulp": holding.update_ulp,
        }
    return evidence
