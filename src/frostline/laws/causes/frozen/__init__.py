"""F: declared frozen, yet the bits changed."""

from __future__ import annotations

from dataclasses import replace

from frostline.core.agreement import merged_into
from frostline.core.ledger import MERGED, UNMERGED, TensorRow
from frostline.core.record import Finding
from frostline.laws.causes.cause import Case, Evidence, Proven, findings, flips_of, proven
from frostline.laws.causes.frozen.in_step import (
    DECAYED,
    LISTED,
    MOMENTUM,
    NOT_INHERITED,
    RAW_GRADIENT,
    STALE_GRADIENT,
    STALE_STEP,
    TIED,
)
from frostline.laws.causes.frozen.module_state import is_state
from frostline.laws.causes.frozen.moved import FrozenCause, Moved, MovedTogether, moves_while_frozen, together
from frostline.laws.causes.frozen.rows import ROWS, ZEROS
from frostline.laws.causes.frozen.written import (
    FROZEN_BUT_CHANGED,
    MISPLACED_AVERAGE,
    OVERWRITTEN,
    REWRITTEN_IN_FORWARD,
    REWRITTEN_OUTSIDE,
    STATISTICS,
)
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES", "find"]

# In the order in which they are asked: what is proven by memory and flags, then by the place of the move, then by its
# shape and gradient, and last what is left.
OF_A_MOVE: tuple[FrozenCause, ...] = (
    TIED, NOT_INHERITED, STALE_STEP, RAW_GRADIENT, STATISTICS, REWRITTEN_IN_FORWARD, DECAYED, STALE_GRADIENT,
    MISPLACED_AVERAGE, OVERWRITTEN, MOMENTUM, LISTED, REWRITTEN_OUTSIDE, FROZEN_BUT_CHANGED,
)  # fmt: skip
CAUSES = (*OF_A_MOVE, ROWS, ZEROS)
Explained = tuple[FrozenCause, Moved]


def find(run: ObservedRun) -> list[Finding]:
    """One finding for the tensors of a model that moved while frozen for one cause, at one place."""
    groups: dict[tuple[str, ...], list[tuple[FrozenCause, Moved, Proven | None]]] = {}
    for cause, moved in explained(run):
        mitigated = proven(cause.mitigations, moved)
        weight = mitigated.name if mitigated is not None else ""
        groups.setdefault((cause.slug, moved.where, moved.row.model, weight), []).append((cause, moved, mitigated))
    return [*map(_finding, groups.values()), *findings((MISPLACED_AVERAGE, ROWS, ZEROS), run)]


def explained(run: ObservedRun) -> list[Explained]:
    """Every tensor that moved while it was declared frozen, with its cause and the move that shows it."""
    known: dict[str, Explained] = {}
    open_ones: list[Moved] = []
    for row in run.tensors:
        moves = [Moved(row, move, run) for move in moves_while_frozen(row, run.copied_wholes)]
        if not moves or is_state(row, run):
            continue
        judged = [each for each in map(_cause, moves) if each is not None]
        if judged:
            known[row.name] = _most_telling(row, judged)
        else:
            open_ones.append(moves[0])
    for moved in open_ones:
        known[moved.row.name] = _with_mates(moved, known)
    return [known[row.name] for row in run.tensors if row.name in known]


def _cause(moved: Moved) -> Explained | None:
    """The first cause that explains the move by itself."""
    for cause in OF_A_MOVE:
        where = cause.explains(moved)
        if where is not None:
            return cause, replace(moved, where=where)
    return None


def _most_telling(row: TensorRow, judged: list[Explained]) -> Explained:
    """Of several moves the first; but an adapter that was merged in, or taken out again, is what is to be told."""
    by_place = {moved.where: (cause, moved) for cause, moved in reversed(judged)}
    if UNMERGED in by_place:
        return by_place[UNMERGED]
    return by_place[MERGED] if MERGED in by_place and merged_into(row) else judged[0]


def _with_mates(moved: Moved, known: dict[str, Explained]) -> Explained:
    """A tensor whose own moves show no cause shares that of a tensor of its model that moved in the same interval.

    The other tensor may have moved again since, and shown its cause only then.
    """
    row, run = moved.row, moved.run
    for other in run.models[row.model]:
        if other.name in known and other.kind == row.kind:
            cause, theirs = known[other.name]
            if together(moved.move, (theirs.move, *moves_while_frozen(other, set()))):
                return cause, replace(moved, where=theirs.where)
    for cause in OF_A_MOVE:
        where = cause.otherwise(moved) if cause.otherwise else None
        if where is not None:
            return cause, replace(moved, where=where)
    raise AssertionError("the last cause takes what is left")


def _finding(group: list[tuple[FrozenCause, Moved, Proven | None]]) -> Finding:
    cause, first, mitigated = group[0]
    moved = MovedTogether(first.where, [each for _, each, _ in group], mitigated)
    hint = cause.advice(moved) if cause.advice else None
    case = Case(moved.rows, cause.says(moved), _evidence(cause, moved), hint=hint, mitigated=mitigated)
    return cause.finding(case)


def _evidence(cause: FrozenCause, together: MovedTogether) -> Evidence:
    moved = max(together.each, key=lambda each: each.move.shift is not None)
    row, move, declared = moved.row, moved.move, moved.row.declared
    evidence: Evidence = {
        "tensor": row.name,
        "first_step": together.first_step,
        "interval": f"after step {move.since} to step {move.until}",
        "applied_at": moved.run.applied_at(row),
        "place": move.place,
        "optimizer": move.optimizer,
        "flag": declared.trainable,
        "flag_at_first_look": declared.first,
        "flips": flips_of(row),
        "training_mode": move.training,
        "gradient": move.gradient,
        "optimizer_state": move.state,
        "lr": move.lr,
        "weight_decay": move.weight_decay,
        "blocks_moved": f"{move.blocks_moved} of {move.blocks}",
        "container": declared.container,
        "same_storage": [*row.aliases, *row.overlaps] or None,
        "module": row.owner.type or None,
        "no_write_seen_until_step": move.unwritten_until,
        "equals": move.equals,
        "resembles": move.resembles,
    }
    if move.shift is not None:
        evidence |= {
            "elements_moved": f"{move.shift.moved} of {move.shift.elements}",
            "largest_change": move.shift.max_abs,
            "largest_change_ulp": move.shift.max_ulp,
            "factor": move.shift.ratio,
        }
    return evidence | (cause.more(moved) if cause.more else {})
