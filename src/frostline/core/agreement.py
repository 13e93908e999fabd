"""Who was right, the flags or a printed summary: one sentence per model, judged by the bits."""

from __future__ import annotations

from collections.abc import Sequence

from frostline.core.averages import followers, merely_follows
from frostline.core.ledger import MERGED, LeafRow


def _said_frozen(leaf: LeafRow) -> bool:
    """Whether the leaf's own flag, or that of something around it, says frozen."""
    return not leaf.declared.trainable or leaf.declared.container_flag is False


def moved_afterwards(leaf: LeafRow) -> bool:
    """Whether a frozen leaf moved, but not, or not certainly, in training: an adapter was merged, a copy written."""
    moves = leaf.changed.movements
    merged = merged_into(leaf)
    return (
        bool(moves)
        and _said_frozen(leaf)
        and all(
            move.late or move.event == MERGED or (merged and move.place in ("outside", "between")) for move in moves
        )
    )


def merged_into(leaf: LeafRow) -> bool:
    """Whether an adapter was seen being merged into the leaf, and no step and no forward pass moved it."""
    moves = leaf.changed.movements
    seen = any(move.event == MERGED for move in moves)
    return seen and all(move.place in ("outside", "between") for move in moves)


def who_was_right(leaves: Sequence[LeafRow], printed: int | None) -> str | None:
    """Flags and summary against the bits of one model, as a sentence; None where the bits cannot decide.

    Args:
        leaves: of the model; buffers do not count.
        printed: how many numbers the last summary called trainable, or None when nothing was printed.

    >>> who_was_right([], None) is None
    True
    """
    rows = [leaf for leaf in leaves if leaf.kind == "parameter"]
    undecided = any(leaf.changed.verdict == "unknown" or leaf.declared.trainable is None for leaf in rows)
    if not rows or undecided or any(leaf.declared.flips or moved_afterwards(leaf) for leaf in rows):
        return None
    moved = sum(leaf.numbers for leaf in rows if leaf.changed.verdict == "yes")
    still = sum(leaf.numbers for leaf in rows) - moved
    frozen = [leaf for leaf in rows if leaf.changed.verdict == "yes" and _said_frozen(leaf)]
    averages = followers(rows)
    following = sum(leaf.numbers for leaf in frozen if merely_follows(leaf, averages))
    wrongly = sum(leaf.numbers for leaf in frozen) - following
    idle = sum(leaf.numbers for leaf in rows if leaf.changed.verdict == "no" and leaf.declared.trainable)
    flags = "wrong" if wrongly else "right"
    facts = f"{moved:,} numbers moved and {still:,} kept every bit"
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
