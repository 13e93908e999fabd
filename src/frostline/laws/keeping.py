"""L7: what the steps made is there when the next steps begin, and at the end."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun

RESTORED = "right where the best or an earlier state was put back on purpose"
BEGUN_AGAIN = "look for what puts the first weights back: a copy that was restored, a file that was loaded again"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Models that end with the bits of an earlier step: what the later ones made is not in them."""
    trained: dict[str, list[TensorRow]] = {}
    for row in run.tensors:
        if row.kind == "parameter" and row.optimizers and row.declared.trainable and row.changed.verdict == "yes":
            trained.setdefault(row.model, []).append(row)
    for model, rows in trained.items():
        steps = {row.changed.back_at for row in rows}
        if len(steps) != 1 or (step := rows[0].changed.back_at) is None:
            continue
        last = max(optimizer.last_step for optimizer in run.optimizers)
        lost = several(last - step, "step")
        when = f"after step {step:,}" if step else "before the first step"
        fact = f"{tensors(rows)} of {model} end with the bits that they had {when}: what the last {lost} made is gone"
        evidence: Evidence = {"tensor": rows[0].name, "back_at_step": step, "steps": last}
        if step:
            yield Violation(tuple(rows), fact, evidence, hint=RESTORED, severity="note")
        else:
            yield Violation(tuple(rows), fact, evidence, hint=BEGUN_AGAIN)


LAW = Law(
    "L7",
    "keeping",
    "warning",
    statement="What the steps made is there when the next steps begin, and what replaced it is said.",
    matters="The next steps start from other weights or other moments than the last ones left.",
    remedy="hand the new weights and the new state of each step to the next",
    needs=(
        facts.Moved,
        facts.MoveExplained,
        facts.SwapBegan,
        facts.SwapUndone,
        facts.CameBack,
    ),
    cannot_see="Weights that are replaced after one check and again before the next; bits that no check saw and that "
    "were written to no file.",
    violations=violations,
)
