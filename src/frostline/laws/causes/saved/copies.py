"""What files hold of a model's tensors, as the causes of this family ask it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core.columns.saved import Copy, CopyState
from frostline.core.ledger import TensorRow


def copies(row: TensorRow, *states: CopyState) -> list[Copy]:
    """The copies of a tensor in files that are in one of these states; all of them where none is named."""
    held = row.saved.copies if row.saved is not None else []
    return [copy for copy in held if not states or copy.state in states]


def changed(rows: Sequence[TensorRow]) -> list[TensorRow]:
    """The tensors that moved."""
    return [row for row in rows if row.changed.verdict == "yes"]


def from_before(rows: Sequence[TensorRow]) -> list[TensorRow]:
    """Tensors that moved and whose best copy has their first bits.

    One that is saved elsewhere may have its first state kept too, and counters at their beginning prove nothing beside
    parameters that moved and are in the file as they are.
    """
    old = [row for row in changed(rows) if row.saved is not None and row.saved.state == "first"]
    old = [row for row in old if not any(copy.put_back for copy in copies(row, "first"))]
    trained = any(row.kind == "parameter" for row in changed(rows))
    telling = [row for row in old if row.kind == "parameter" or (not trained and row.size > 1)]
    return old if telling else []


def half_following(rows: Sequence[TensorRow]) -> Iterator[tuple[Copy, list[TensorRow], list[TensorRow]]]:
    """Of each file that holds another module's copy of a model: which kept their first bits, and which have others."""
    still: dict[str, list[TensorRow]] = {}
    first: dict[str, Copy] = {}
    for row in rows:
        for copy in copies(row, "first"):
            if copy.origin is not None and row.changed.verdict == "yes":
                first.setdefault(copy.file, copy)
                still.setdefault(copy.file, []).append(row)
    for file, copy in first.items():
        moved = [row for row in changed(rows) if any(each.file == file for each in copies(row, "other"))]
        if moved:
            yield copy, still[file], moved
