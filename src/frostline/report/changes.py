"""What changed a tensor, in two or three words: a step, a copy, a forward pass, or the script; who is alike in all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from frostline.core.amounts import several
from frostline.core.averages import copied_whole, followers, in_whole, merely_follows
from frostline.core.ledger import LOADED, Movement, TensorRow

BY_STEP = "by step"
_PLACES = {"step": BY_STEP, "forward": "in forward", "outside": "outside steps", "between": "not seen when"}


def copies_in(rows: Sequence[TensorRow]) -> dict[str, str]:
    """What is copied as a whole, by the beginning of its tensors' names, with where it comes from."""
    wholes = followers(rows)
    shown = [(row, row.changed.followed) for row in rows if row.changed.followed]
    copied = [(row, source) for row, source in shown if copied_whole(row.name, source) in wholes]
    joined = _joined(copied, rows)
    parts: dict[tuple[str, str], list[TensorRow]] = {}
    for row, source in copied:
        whole = next((whole for whole in joined if in_whole(row.name, {whole})), None)
        names = (copied_whole(row.name, source), copied_whole(source, row.name) or source)
        parts.setdefault(names if whole is None else (whole, joined[whole]), []).append(row)
    return {whole: _copied(source.removesuffix("."), copies) for (whole, source), copies in parts.items()}


def _joined(copied: Iterable[tuple[TensorRow, str]], rows: Sequence[TensorRow]) -> dict[str, str]:
    """Wholes of which every part was copied from a part of one other, which is given for each.

    Layers of Keras have other names in a copy than in its source.
    """
    sources: dict[str, set[str]] = {}
    for row, source in copied:
        mine, theirs = _first_apart(row.name, source)
        sources.setdefault(mine, set()).add(theirs)
    of_one = {mine: theirs.pop() for mine, theirs in sources.items() if mine and len(theirs) == 1}
    known = {row.name for row, _ in copied}
    lacking = [row.name for row in rows if row.kind == "parameter" and row.name not in known]
    return {mine: theirs for mine, theirs in of_one.items() if not any(in_whole(name, {mine}) for name in lacking)}


def _first_apart(name: str, source: str) -> tuple[str, str]:
    """The beginning of a name up to the first part that is another in ``source``, and that part there."""
    pairs = list(zip(name.split("."), source.split("."), strict=False))
    at = next((index for index, (mine, theirs) in enumerate(pairs) if mine != theirs), None)
    if at is None:
        return "", ""
    mine, theirs = zip(*pairs[: at + 1], strict=True)
    return f"{'.'.join(mine)}.", theirs[-1]


def _copied(source: str, rows: Sequence[TensorRow]) -> str:
    """What is said of a copy, and how often all of it that was compared had the bits of its source.

    A rate of 0 is a move so small that it may be of either kind.
    """
    rates = {move.rate for row in rows for move in row.changed.movements} | {row.changed.rate for row in rows}
    if rates - {None, 0.0, 1.0}:
        return f"averaged from {source}"
    if 0.0 in rates and 1.0 not in rates:
        return f"follows {source}"
    had, looks = min((row.changed.copies for row in rows if row.changed.copies), default=(0, 0))
    return f"copied from {source} ({had} of {several(looks, 'check')})" if had else f"copied from {source}"


def copied_by(row: TensorRow, copies: Mapping[str, str]) -> str:
    """What is said of the copy that the tensor is a part of; empty where it is of none.

    Args:
        row: the tensor.
        copies: what ``copies_in`` says of all tensors of the run.
    """
    if not copies or row.changed.verdict != "yes" or not merely_follows(row, set(copies)):
        return ""
    return next(said for whole, said in copies.items() if in_whole(row.name, {whole}))


def changed_by(row: TensorRow, copies: Mapping[str, str]) -> str:
    """What was seen to change the tensor; empty where nothing did.

    Args:
        row: the tensor.
        copies: what ``copies_in`` says of all tensors of the run.
    """
    if row.changed.verdict != "yes":
        return ""
    if copied := copied_by(row, copies):
        return copied
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
