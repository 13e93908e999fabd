"""Who was right, the flags or a printed summary: one sentence per model, judged by the bits."""

from __future__ import annotations

from collections.abc import Sequence

from frostline.core.averages import followers, merely_follows
from frostline.core.ledger import MERGED, TensorRow


def _said_frozen(row: TensorRow) -> bool:
    """Whether the tensor's own flag, or that of something around it, says frozen."""
    return not row.declared.trainable or row.declared.container_flag is False


def moved_afterwards(row: TensorRow) -> bool:
    """Whether a frozen tensor moved, but not, or not certainly, in training: an adapter was merged, a copy written."""
    moves = row.changed.movements
    later = merged_into(row) or all(
        (move.late and move.unwritten_until is not None) or move.event == MERGED for move in moves
    )
    return bool(moves) and _said_frozen(row) and later


def merged_into(row: TensorRow) -> bool:
    """Whether an adapter was seen being merged into the tensor, and no step and no forward pass moved it."""
    moves = row.changed.movements
    seen = any(move.event == MERGED for move in moves)
    return seen and all(move.place in ("outside", "between") for move in moves)


def who_was_right(tensor_rows: Sequence[TensorRow], printed: int | None) -> str | None:
    """Flags and summary against the bits of one model, as a sentence; None where the bits cannot decide.

    Args:
        tensors: of the model; buffers do not count.
        printed: how many numbers the last summary called trainable, or None when nothing was printed.

    >>> who_was_right([], None) is None
    True
    """
    rows = [row for row in tensor_rows if row.kind == "parameter"]
    undecided = any(row.changed.verdict == "unknown" or row.declared.trainable is None for row in rows)
    if not rows or undecided or any(row.declared.flips or moved_afterwards(row) for row in rows):
        return None
    moved = sum(row.size for row in rows if row.changed.verdict == "yes")
    still = sum(row.size for row in rows) - moved
    frozen = [row for row in rows if row.changed.verdict == "yes" and _said_frozen(row)]
    averages = followers(rows)
    following = sum(row.size for row in frozen if merely_follows(row, averages))
    wrongly = sum(row.size for row in frozen) - following
    idle = sum(row.size for row in rows if row.changed.verdict == "no" and row.declared.trainable)
    flags = "wrong" if wrongly else "right"
    facts = f"{moved:,} parameters moved and {still:,} did not change"
    if wrongly:
        facts += f"; {wrongly:,} of those that moved are declared frozen"
    if following:
        facts += f"; {following:,} of those that moved are declared frozen and follow other weights"
    if idle:
        facts += f"; {idle:,} of those that did not move are declared trainable"
    if printed is None:
        about = " about what is frozen" if idle and not wrongly else ""
        return f"the flags were {flags}{about}: {facts}"
    trained = moved - following
    summary = "right" if printed == trained or (not wrongly and printed == trained + idle) else "wrong"
    if flags == summary:
        return f"flags and summary were both {flags}: {facts}"
    return f"the flags were {flags}, the summary {summary}: {facts}"
