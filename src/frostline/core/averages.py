"""Weights that follow others and are trained by no step of their own: averages, targets and synchronised copies."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import LeafRow, Movement


def followers(leaves: Iterable[LeafRow]) -> set[str]:
    """The parts of models in which a leaf was seen to follow another leaf."""
    return {_part(leaf) for leaf in leaves if leaf.changed.followed}


def follows(leaf: LeafRow, parts: set[str]) -> bool:
    """Whether the leaf, or what is copied together with it, was seen to follow others.

    Args:
        leaf: any leaf.
        parts: what ``followers`` says of all leaves, since only some leaves of a copy are asked whom they follow.
    """
    return leaf.changed.followed is not None or _is_copied_with(leaf, parts)


def merely_follows(leaf: LeafRow, parts: set[str]) -> bool:
    """Whether the leaf follows others, and no step of its own gradient moved it."""
    return follows(leaf, parts) and not by_gradient(leaf.changed.movements)


def by_gradient(moves: Iterable[Movement]) -> list[Movement]:
    """Of these moves, those that steps made by a gradient: what merely follows others has none."""
    return [move for move in moves if move.place == "step" and move.gradient == "nonzero"]


def _is_copied_with(leaf: LeafRow, parts: set[str]) -> bool:
    """Whether the leaf belongs to an averaged or synchronised copy and no step of a program moved it.

    Statistics move inside a step where the optimizer is given a closure that runs the forward pass.
    """
    whole_model = any(part.partition(".")[0] == leaf.model for part in parts)
    beside = _part(leaf) in parts or (whole_model and leaf.owner.frozen_subtree == "")
    statistics = leaf.kind == "buffer" and leaf.owner.role == "normalisation"
    return beside and (statistics or all(move.place != "step" for move in leaf.changed.movements))


def _part(leaf: LeafRow) -> str:
    """The model and the first step of the path in it: what users copy as a whole."""
    return ".".join(leaf.name.split(".")[:2]) if leaf.owner.path else leaf.model
