"""What changed a tensor, in two or three words: a step, a copy, a forward pass, or the script; who is alike in all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from frostline.core.averages import copied_whole, followers, in_whole, merely_follows
from frostline.core.ledger import LOADED, Movement, TensorRow

BY_STEP = "by step"
_PLACES = {"step": BY_STEP, "forward": "in forward", "outside": "outside steps", "between": "not seen when"}


def copies_in(rows: Sequence[TensorRow]) -> dict[str, str]:
    """What is copied as a whole, by the beginning of its tensors' names, with where it comes from."""
    found: dict[str, str] = {}
    wholes = followers(rows)
    for row in rows:
        source = row.changed.followed
        if source is not None and (whole := copied_whole(row.name, source)) in wholes:
            averaged = any(move.rate not in (None, 1.0) for move in row.changed.movements)
            name = copied_whole(source, row.name).rstrip(".") or source
            found[whole] = f"{'follows' if averaged else 'copied from'} {name}"
    return found


def changed_by(row: TensorRow, copies: Mapping[str, str]) -> str:
    """What was seen to change the tensor; empty where nothing did.

    Args:
        row: the tensor.
        copies: what ``copies_in`` says of all tensors of the run.
    """
    if row.changed.verdict != "yes":
        return ""
    if merely_follows(row, set(copies)):
        return next(said for whole, said in copies.items() if in_whole(row.name, {whole}))
    ways = dict.fromkeys(map(_way, row.changed.movements))
    if len(ways) > 1:
        ways.pop(_PLACES["between"], None)
    return ", ".join(ways)


def _way(move: Movement) -> str:
    return "loaded" if move.event == LOADED else _PLACES[move.place]


def marks(
    cells: Sequence[Callable[[Sequence[TensorRow]], Hashable]], besides: Callable[[TensorRow], Hashable]
) -> Callable[[TensorRow], Hashable]:
    """A mark that tells tensors apart whose cells differ: a number, found once for tensors alike.

    Args:
        cells: of a row of the table.
        besides: what they are made of that does not stand in the tensor's row.
    """
    known: dict[Hashable, int] = {}
    numbers: dict[Hashable, int] = {}

    def mark(row: TensorRow) -> Hashable:
        alike = (answers(row), besides(row))
        if (number := known.get(alike)) is None:
            said = tuple([cell([row]) for cell in cells])
            number = known[alike] = numbers.setdefault(said, len(numbers))
        return number

    return mark


def answers(row: TensorRow) -> Hashable:
    """All that the cells of one tensor are made of."""
    declared, saved = row.declared, row.saved
    return (
        row.kind,
        declared.trainable,
        bool(declared.flips or declared.flip_count),
        tuple([holding.optimizer for holding in row.optimizers if holding.listed]),
        row.changed.verdict,
        row.expected,
        None if saved is None else (saved.state, saved.copies[0].dtype if saved.copies else ""),
        tuple(row.unknown),
    )
