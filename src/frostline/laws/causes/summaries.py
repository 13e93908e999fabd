"""P: a printed count against what the run's steps update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from frostline.core.agreement import moved_afterwards
from frostline.core.amounts import parameters
from frostline.core.averages import merely_follows
from frostline.core.events import SummaryPrinted
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Cause, Mitigation, proven
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]


@dataclass(frozen=True, slots=True)
class _Count:
    """A printed count of trainable parameters beside the tensors that steps moved after it."""

    event: SummaryPrinted
    printed: int
    rows: list[TensorRow]
    moved: list[TensorRow]


def _cases(run: ObservedRun) -> Iterator[Case]:
    """Each model's first wrong summary of a weight, compared with the steps that followed it under the same flags."""
    told = set()
    for event in run.events_of(SummaryPrinted):
        case = _wrong_trainable(event, run) or _wrong_total(event)
        key = (event.model, case.mitigated.severity if case is not None and case.mitigated else None)
        if case is not None and key not in told:
            told.add(key)
            yield case


def _wrong_trainable(event: SummaryPrinted, run: ObservedRun) -> Case | None:
    names, printed = set(event.tensors), event.trainable
    rows = [row for row in run.tensors if row.name in names and row.kind == "parameter"]
    if not rows or printed is None:
        return None
    apart = _of_parts(event, run)
    moved = [row for row in rows if _moved_after(row, event.step, apart) and not merely_follows(row, run.copied_wholes)]
    stepped = sum(optimizer.steps_executed for optimizer in run.optimizers) > event.step
    if not moved or not stepped or parameters(moved) <= printed:
        return None
    outdated = proven(OUTDATED, _Count(event, printed, rows, moved))
    return Case(
        [row for row in moved if row.declared.trainable is False or row.declared.container_flag is False] or moved,
        f"the summary of {event.model} says {printed:,} trainable; the steps after it changed {parameters(moved):,} "
        f"of {parameters(rows):,}: " + ("flags were changed after it" if outdated else "the summary is wrong"),
        {
            "printed_total": event.total,
            "printed_trainable": printed,
            "printed_non_trainable": event.non_trainable,
            "changed": parameters(moved),
            "printed_before_step": event.step + 1,
            "flags_counted_then": event.flags_trainable,
            "right": "the bits",
        },
        mitigated=outdated,
    )


def _wrong_total(event: SummaryPrinted) -> Case | None:
    total, trainable, rest = event.total, event.trainable, event.non_trainable
    if total is None or trainable is None or rest is None or total == trainable + rest:
        return None
    return Case(
        [],
        f"the summary of {event.model} says {total:,} in total; trainable and non-trainable add up to "
        f"{trainable + rest:,}",
        {
            "printed_total": total,
            "printed_trainable": trainable,
            "printed_non_trainable": rest,
            "optimizer": event.optimizer,
        },
        mitigated=STATE_COUNTED.proven(event),
    )


def _changed_since(count: _Count) -> str | None:
    """It was right when it was printed: without what was switched on since, or a flag changed before the first step."""
    step, flags = count.event.step, count.event.flags_trainable
    as_printed = parameters(row for row in count.moved if not _switched_on(row, step))
    if as_printed <= count.printed:
        return f"without the tensors whose flag went on after it, the steps changed {as_printed:,}"
    now = parameters(row for row in count.rows if row.declared.trainable)
    if flags is not None and flags != now:
        return f"the flags of the model counted {flags:,} when it was printed, and {now:,} in the run"
    return None


def _switched_on(row: TensorRow, step: int) -> bool:
    """Whether the flag went on after the summary, and the tensor was seen to move with it on only."""
    declared = row.declared
    flipped = declared.flip_count > len(declared.flips) or any(flip.now and flip.step > step for flip in declared.flips)
    return flipped and all(move.trainable for move in row.changed.movements if move.until > step)


def _of_parts(event: SummaryPrinted, run: ObservedRun) -> set[str]:
    """Optimizers that train a part of the summarised model as a model of its own.

    A discriminator has a step of its own, and the summary of the model around it says what that one's step trains.
    """
    names = set(event.tensors)
    return {
        optimizer.id
        for optimizer in run.optimizers
        if optimizer.trains_model not in (None, event.model)
        and {row.name for row, _ in run.holdings[optimizer.id]} < names
    }


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


OUTDATED = (Mitigation("outdated", "Flags were changed after the summary was printed.", _changed_since),)
STATE_COUNTED = Mitigation[SummaryPrinted](
    "total alone",
    "Only the total does not add up: it may count an optimizer's own numbers.",
    lambda event: f"{event.total:,} is not {event.trainable:,} + {event.non_trainable:,}",
    hint="once the optimizer is built, the total includes its state; the model alone has trainable + non-trainable",
)
SUMMARY = Cause(
    code="P801",
    slug="summary-disagrees",
    severity="error",
    law="L11",
    means="A printed count of trainable parameters differs from what the steps of the run update.",
    matters="People read the summary and believe it; it counts flags, and not always the ones that decide.",
    remedy="trust the columns of this report; print the summary of the model whose step runs, after compile",
    tells_apart="The flags did not change between the summary and the steps; the numbers are those printed.",
    mitigations=(*OUTDATED, STATE_COUNTED),
    cases=_cases,
)

CAUSES = (SUMMARY,)
