"""What became of the leaves beside one: the rest of its module, its likes in a list, what the same program holds."""

from __future__ import annotations

from frostline.core.ledger import LeafRow, Ledger
from frostline.rules.decay import decay_alone


def trained(leaf: LeafRow) -> bool:
    """Whether the leaf moved, and not merely by decay."""
    return leaf.changed.verdict == "yes" and decay_alone(leaf.changed.movements) is None


def rest_of_module_moved(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether another weight of the same module is trained: then the loss merely does not depend on this one."""
    return any(
        trained(other) and other.kind == "parameter"
        for other in ledger.leaves
        if other is not leaf and (other.model, other.owner.path) == (leaf.model, leaf.owner.path)
    )


def sibling_moved(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether a weight of the same shape in a module of the same type beside this one is trained: an expert of many."""
    return any(
        trained(other) and other.owner.type == leaf.owner.type and other.shape == leaf.shape
        for other in ledger.leaves
        if other.model == leaf.model
        and other.owner.path != leaf.owner.path
        and _alike(other.owner.path, leaf.owner.path)
    )


def factor_of_zeros(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether it and another matrix of its module are all zeros: neither ever gets a gradient from their product."""
    return _is_zero_matrix(leaf) and any(
        _is_zero_matrix(other)
        for other in ledger.leaves
        if other is not leaf and (other.model, other.owner.path) == (leaf.model, leaf.owner.path)
    )


def _is_zero_matrix(leaf: LeafRow) -> bool:
    return bool(leaf.zeros) and len(leaf.shape) > 1 and leaf.declared.trainable is True


def moved_any(program: str, ledger: Ledger) -> bool:
    """Whether a leaf that the program holds moved."""
    return any(
        other.changed.verdict == "yes"
        for other in ledger.leaves
        if any(wire.program == program for wire in other.wired)
    )


def _alike(one: str, other: str) -> bool:
    """Whether two module paths differ in one numbered piece only, as experts and heads in a list do."""
    mine, theirs = one.split("."), other.split(".")
    apart = [(a, b) for a, b in zip(mine, theirs, strict=False) if a != b]
    return (
        len(mine) == len(theirs)
        and len(apart) == 1
        and all(piece[-1:].isdigit() for piece in apart[0])
        and apart[0][0].rstrip("0123456789") == apart[0][1].rstrip("0123456789")
    )
