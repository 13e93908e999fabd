"""Weights that follow others and are trained by no step of their own: averages, targets and synchronised copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from frostline.core.ledger import Movement, TensorRow


def followers(rows: Iterable[TensorRow]) -> set[str]:
    """The beginnings of the names of what is copied as a whole, seen from tensors that follow others.

    A tensor and the one that it follows have the same name inside of the two wholes. Where each was seen to follow the
    other, as a tensor and its copy have the same bits after every update, what steps moved leads. Of two with the same
    bits one of which the script was seen to write, and the other not, that one follows.
    """
    rows = list(rows)
    stepped = {row.name for row in rows if any(map(_is_by_step, row.changed.movements))}
    shown = [(row, row.changed.followed) for row in rows if row.changed.followed and _is_shown(row, stepped)]
    leading = copies_alone_written(rows)
    pairs = {_wholes(source, row.name) if row.name in leading else _wholes(row.name, source) for row, source in shown}
    both_ways = [mine for mine, theirs in pairs if (theirs, mine) in pairs]
    led_by_steps = {whole for name in stepped for whole in both_ways if in_whole(name, {whole})}
    return {mine for mine, _ in pairs} - led_by_steps


def copies_alone_written(rows: Iterable[TensorRow]) -> dict[str, str]:
    """Tensors that no step moved and no write was seen into, with another of their bits into which one was: its copy.

    What takes a copy's values is written to, and PyTorch counts that; a numpy array on the same memory goes uncounted,
    as does what is written after the last step.
    """
    rows = list(rows)
    written = {row.name for row in rows if any(move.unwritten_until is not None for move in row.changed.movements)}
    stepped = {row.name for row in rows if any(map(_is_by_step, row.changed.movements))}
    found: dict[str, str] = {}
    for row in rows:
        copy = row.changed.followed
        exact = [move for move in row.changed.movements if move.follows == copy and move.rate == 1 and not move.late]
        alone = copy in written and row.name not in written and not {row.name, copy} & stepped
        if copy is not None and alone and exact and not any(move.event for move in exact):
            found[row.name] = copy
    return found


def _is_shown(row: TensorRow, stepped: set[str]) -> bool:
    """Whether it follows what steps move, or numbers show more than that all of its move may have been rounding.

    What steps move does not follow what none of them moves, which is the copy, and rounding shows nothing of it.
    """
    rates = [move.rate for move in row.changed.movements if move.follows]
    by_numbers, led = not rates or any(rates), row.changed.followed in stepped
    return (led and by_numbers) if row.name in stepped else (led or by_numbers)


def _is_by_step(move: Movement) -> bool:
    """Whether a step itself made the move, and not what the script did inside of it: of that there is no gradient."""
    return move.place == "step" and move.gradient != "none"


def _wholes(name: str, source: str) -> tuple[str, str]:
    return copied_whole(name, source), copied_whole(source, name)


def copied_whole(name: str, source: str) -> str:
    """A dotted name without the longest ending that it shares with its source, up to a dot.

    >>> copied_whole("target.body.0.weight", "online.body.0.weight"), copied_whole("net.ema", "net.weight")
    ('target.', 'net.ema.')
    """
    mine, theirs = name.split("."), source.split(".")
    while mine and theirs and mine[-1] == theirs[-1]:
        mine.pop()
        theirs.pop()
    return "".join(f"{part}." for part in mine)


def in_whole(name: str, wholes: Collection[str]) -> bool:
    """Whether a tensor of this name is in one of these wholes.

    >>> in_whole("target.body.0.weight", {"target."}), in_whole("targets.weight", {"target."})
    (True, False)
    """
    if not wholes:  # as in most runs
        return False
    ends = (index + 1 for index, letter in enumerate(f"{name}.") if letter == ".")
    return any(f"{name}."[:end] in wholes for end in ends)


def follows(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor, or what is copied together with it, was seen to follow others.

    Args:
        tensor: any tensor.
        parts: what ``followers`` says of all tensors, since only some tensors of a copy are asked whom they follow.
    """
    followed = row.changed.followed
    return (followed is not None and copied_whole(row.name, followed) in parts) or _is_copied_with(row, parts)


def merely_follows(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor follows others, and no step of its own gradient moved it."""
    return follows(row, parts) and not by_gradient(row.changed.movements)


def by_gradient(moves: Iterable[Movement]) -> list[Movement]:
    """Of these moves, those that steps made by a gradient: what merely follows others has none."""
    return [move for move in moves if move.place == "step" and move.gradient == "nonzero"]


def _is_copied_with(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor belongs to an averaged or synchronised copy and no step of an optimizer moved it.

    Where the optimizer is given a closure, statistics and averages move inside a step: of averages it is seen that they
    had no gradient, without which no optimizer moves a tensor.
    """
    beside = in_whole(row.name, parts)
    statistics = row.kind == "buffer" and row.owner.role == "normalisation"
    return beside and (statistics or not any(map(_is_by_step, row.changed.movements)))
