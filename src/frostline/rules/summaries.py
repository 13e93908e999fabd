"""P: a printed count against what the run's steps update."""

from __future__ import annotations

from frostline.core.agreement import moved_afterwards
from frostline.core.averages import followers, merely_follows
from frostline.core.events import SummaryPrinted
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Finding
from frostline.rules.rule import Rule, parameters

SUMMARY = Rule(
    "P801",
    "summary-disagrees",
    "error",
    "L11",
    means="A printed count of trainable parameters differs from what the steps of the run update.",
    matters="People read the summary and believe it; it counts flags, and not always the ones that decide.",
    remedy="trust the columns of this report; print the summary of the model whose step runs, after compile",
    tells_apart="The flags did not change between the summary and the steps; the numbers are those printed.",
)

RULES = (SUMMARY,)


def find(ledger: Ledger) -> list[Finding]:
    """Compare each model's last summary with the steps that followed it under the same flags."""
    found = []
    for event in ledger.events_of(SummaryPrinted):
        finding = _wrong_trainable(event, ledger) or _wrong_total(event)
        if finding is not None:
            found.append(finding)
    return _one_per_model(found)


def _wrong_trainable(event: SummaryPrinted, ledger: Ledger) -> Finding | None:
    rows = [row for row in ledger.tensors if row.name in event.tensors and row.kind == "parameter"]
    printed = event.trainable
    if not rows or printed is None:
        return None
    apart, averages = _of_parts(event, ledger), followers(ledger.tensors)
    moved = [row for row in rows if _moved_after(row, event.step, apart) and not merely_follows(row, averages)]
    steps = [optimizer for optimizer in ledger.optimizers if optimizer.steps_executed]
    if not steps or not moved or _steps_after(ledger) <= event.step:
        return None
    trained = parameters(moved)
    total = parameters(rows)
    if trained <= printed:
        return None
    as_printed = parameters(row for row in moved if not _switched_on(row, event.step))
    outdated = as_printed <= printed or _flipped_before_training(rows, event)
    return SUMMARY.found(
        [row for row in moved if row.declared.trainable is False or row.declared.container_flag is False] or moved,
        f"the summary of {event.model} says {printed:,} trainable; the steps after it changed {trained:,} "
        f"of {total:,}: " + ("flags were changed after it" if outdated else "the summary is wrong"),
        {
            "printed_total": event.total,
            "printed_trainable": printed,
            "printed_non_trainable": event.non_trainable,
            "changed": trained,
            "printed_before_step": event.step + 1,
            "flags_counted_then": event.flags_trainable,
            "right": "the bits",
        },
        severity="note" if outdated else None,
    )


def _wrong_total(event: SummaryPrinted) -> Finding | None:
    total, trainable, rest = event.total, event.trainable, event.non_trainable
    if total is None or trainable is None or rest is None:
        return None
    if total == trainable + rest:
        return None
    return SUMMARY.found(
        [],
        f"the summary of {event.model} says {total:,} in total; trainable and non-trainable add up to "
        f"{trainable + rest:,}",
        {
            "printed_total": total,
            "printed_trainable": trainable,
            "printed_non_trainable": rest,
            "optimizer": event.optimizer,
        },
        severity="note",
        hint="the total counts the optimizer's own numbers once it is built; the model has trainable + non-trainable",
    )


def _switched_on(row: TensorRow, step: int) -> bool:
    """Whether the flag went on after the summary, and the tensor was seen to move with it on only."""
    declared = row.declared
    flipped = declared.flip_count > len(declared.flips) or any(flip.now and flip.step > step for flip in declared.flips)
    return flipped and all(move.trainable for move in row.changed.movements if move.until > step)


def _flipped_before_training(rows: list[TensorRow], event: SummaryPrinted) -> bool:
    """Whether a flag changed between the summary and the first step after it: then it was right when printed."""
    now = sum(row.size for row in rows if row.declared.trainable)
    return event.flags_trainable not in (None, now)


def _of_parts(event: SummaryPrinted, ledger: Ledger) -> set[str]:
    """Optimizers that train a part of the summarised model as a model of its own.

    A discriminator has a step of its own, and the summary of the model around it says what that one's step trains.
    """
    found = set()
    for optimizer in ledger.optimizers:
        if optimizer.trains_model not in (None, event.model):
            held = {
                row.name
                for row in ledger.tensors
                if any(holding.optimizer == optimizer.id for holding in row.optimizers)
            }
            if held < set(event.tensors):
                found.add(optimizer.id)
    return found


def _moved_after(row: TensorRow, step: int, apart: set[str]) -> bool:
    """Whether a step moved the tensor after global step ``step``, by the bits or by a later sighting of them.

    What optimizers ``apart`` did does not count, nor what they may have done between two checks.
    """
    if moved_afterwards(row):
        return False
    theirs = any(holding.optimizer in apart for holding in row.optimizers)
    for move in row.changed.movements:
        if move.place == "step":
            if move.until > step and move.optimizer not in apart:
                return True
        elif move.place != "forward" and move.since >= step and not theirs:
            return True
    held = any(holding.listed for holding in row.optimizers if holding.optimizer not in apart)
    return row.changed.verdict == "yes" and held and step == 0


def _steps_after(ledger: Ledger) -> int:
    return sum(optimizer.steps_executed for optimizer in ledger.optimizers)


def _one_per_model(found: list[Finding]) -> list[Finding]:
    kept: dict[str, Finding] = {}
    for finding in found:
        kept.setdefault(f"{finding.message.split(' says ')[0]}{finding.severity}", finding)
    return list(kept.values())
