"""L7: what the steps made is there when the next steps begin, and at the end."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.events.averages import AveragePutIn
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun

RESTORED = "right where the best or an earlier state was put back on purpose"
STEPS_SAID = 4
NOT_TAKEN_OUT = "put the trained weights back after evaluating with the average; right where it is to be trained on"
BEGUN_AGAIN = "look for what puts the first weights back: a copy that was restored, a file that was loaded again"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Models that end with the bits of an earlier step, and those into which an average is put again and again."""
    yield from _averages_put_in(run)
    trained: dict[str, list[TensorRow]] = {}
    for row in run.tensors:
        if row.kind == "parameter" and row.optimizers and row.declared.trainable and row.changed.verdict == "yes":
            trained.setdefault(row.model, []).append(row)
    for model, rows in trained.items():
        step = next((row.changed.back_at for row in rows if row.changed.back_at is not None), None)
        if step is None or not all(_ends_as_after(step, row) for row in rows):
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


def _ends_as_after(step: int, row: TensorRow) -> bool:
    """Whether it ends with the bits that it had after this step; what stood still since then never had others."""
    still = row.changed.still
    return row.changed.back_at == step or (still is not None and still.since <= step)


def _averages_put_in(run: ObservedRun) -> Iterator[Violation]:
    """Weights that begin again and again with the average that follows them: it was put in and not taken out."""
    last = {event.tensor: event for event in run.events_of(AveragePutIn)}
    for event in last.values():
        row = run.named.get(event.tensor)
        if row is None:
            continue
        rows = tuple(each for each in run.models[row.model] if each.optimizers and each.kind == "parameter")
        more = ", …" if len(event.steps) > STEPS_SAID else ""
        after = ", ".join(f"{step:,}" for step in event.steps[:STEPS_SAID]) + more
        fact = (
            f"{row.model} went on from {event.source} instead of from what its steps had made, "
            f"{several(len(event.steps), 'time')} (after steps {after}): an average that follows it was put in and not "
            "taken out"
        )
        evidence: Evidence = {
            "tensor": row.name,
            "average": event.source,
            "put_in_after_steps": after,
            "times": len(event.steps),
            "average_moved_in_steps": event.moved,
        }
        yield Violation(rows, fact, evidence, hint=NOT_TAKEN_OUT, apart=True)


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
        facts.AveragePutIn,
    ),
    cannot_see="Weights that are replaced after one check and again before the next; bits that no check saw and that "
    "were written to no file.",
    violations=violations,
)
