"""Adapters that a script or a library merges into the weight beside them, told by what was written."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import TensorRow
from frostline.digest.rank import rank_of_move
from frostline.observe.tensor_state import Reading


def is_merge(row: TensorRow, reading: Reading, beside: Iterable[TensorRow]) -> bool:
    """Whether a frozen matrix got a change of no higher rank than the adapters in or around its module have.

    Args:
        row: of the tensor that moved.
        reading: of the move, with the bytes before and after.
        beside: the rows among which its adapters may be.
    """
    if len(row.shape) != 2 or reading.before is None or reading.after is None:
        return False
    ranks = [rank for other in beside if (rank := _rank_of_adapter(row, other)) is not None]
    if not ranks:
        return False
    height, width = row.shape
    found = rank_of_move(reading.before, reading.after, row.dtype, (height, width))
    return found is not None and found <= max(ranks)


def _rank_of_adapter(row: TensorRow, other: TensorRow) -> int | None:
    """The smaller side of a trained matrix that has one side in common with the weight and is thin beside it."""
    if not other.declared.trainable or other.model != row.model or len(other.shape) != 2 or not _near(row, other):
        return None
    small, large = sorted(other.shape)
    return small if large in row.shape and 2 * small <= min(row.shape) else None


def _near(row: TensorRow, other: TensorRow) -> bool:
    """Whether the other tensor is in or below the module that owns the tensor, or the one around that."""
    around = row.owner.path.rpartition(".")[0]
    return any(
        path and (other.owner.path == path or other.owner.path.startswith(f"{path}."))
        for path in (row.owner.path, around)
    )
