"""What became of the tensors beside one: the rest of its module, its likes in a list, what the same optimizer holds."""

from __future__ import annotations

from frostline.core.ledger import Ledger, TensorRow
from frostline.rules.frozen.decay import decay_alone


def trained(row: TensorRow) -> bool:
    """Whether the tensor moved, and not merely by decay."""
    return row.changed.verdict == "yes" and decay_alone(row.changed.movements) is None


def rest_of_module_moved(row: TensorRow, ledger: Ledger) -> bool:
    """Whether another weight of the same module is trained: then the loss merely does not depend on this one."""
    return any(
        trained(other) and other.kind == "parameter"
        for other in ledger.tensors
        if other is not row and (other.model, other.owner.path) == (row.model, row.owner.path)
    )


def sibling_moved(row: TensorRow, ledger: Ledger) -> bool:
    """Whether a weight of the same shape in a module of the same type beside this one is trained: an expert of many."""
    return any(
        trained(other) and other.owner.type == row.owner.type and other.shape == row.shape
        for other in ledger.tensors
        if other.model == row.model and other.owner.path != row.owner.path and _alike(other.owner.path, row.owner.path)
    )


def factor_of_zeros(row: TensorRow, ledger: Ledger) -> bool:
    """Whether it and another matrix of its module are all zeros: neither ever gets a gradient from their product."""
    return _is_zero_matrix(row) and any(
        _is_zero_matrix(other)
        for other in ledger.tensors
        if other is not row and (other.model, other.owner.path) == (row.model, row.owner.path)
    )


def _is_zero_matrix(row: TensorRow) -> bool:
    return bool(row.zeros) and len(row.shape) > 1 and row.declared.trainable is True


def moved_any(optimizer: str, ledger: Ledger) -> bool:
    """Whether a tensor that the optimizer holds moved."""
    return any(
        other.changed.verdict == "yes"
        for other in ledger.tensors
        if any(holding.optimizer == optimizer for holding in other.optimizers)
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
