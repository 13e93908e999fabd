"""Weights that follow others and are trained by no step of their own: averages, targets and synchronised copies."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import Movement, TensorRow


def followers(rows: Iterable[TensorRow]) -> set[str]:
    """The parts of models in which a tensor was seen to follow another tensor."""
    return {_part(row) for row in rows if row.changed.followed}


def follows(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor, or what is copied together with it, was seen to follow others.

    Args:
        tensor: any tensor.
        parts: what ``followers`` says of all tensors, since only some tensors of a copy are asked whom they follow.
    """
    return row.changed.followed is not None or _is_copied_with(row, parts)


def merely_follows(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor follows others, and no step of its own gradient moved it."""
    return follows(row, parts) and not by_gradient(row.changed.movements)


def by_gradient(moves: Iterable[Movement]) -> list[Movement]:
    """Of these moves, those that steps made by a gradient: what merely follows others has none."""
    return [move for move in moves if move.place == "step" and move.gradient == "nonzero"]


def _is_copied_with(row: TensorRow, parts: set[str]) -> bool:
    """Whether the tensor belongs to an averaged or synchronised copy and no step of an optimizer moved it.

    Statistics move inside a step where the optimizer is given a closure that runs the forward pass.
    """
    whole_model = any(part.partition(".")[0] == row.model for part in parts)
    beside = _part(row) in parts or (whole_model and row.owner.frozen_subtree == "")
    statistics = row.kind == "buffer" and row.owner.role == "normalisation"
    return beside and (statistics or all(move.place != "step" for move in row.changed.movements))


def _part(row: TensorRow) -> str:
    """The model and the first step of the path in it: what users copy as a whole."""
    return ".".join(row.name.split(".")[:2]) if row.owner.path else row.model
