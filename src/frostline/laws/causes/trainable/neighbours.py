"""What became of the tensors beside one: the rest of its module, its likes in a list, what the same optimizer holds."""

from __future__ import annotations

from frostline.core.ledger import TensorRow
from frostline.laws.causes.frozen.decay import decay_alone
from frostline.laws.observed_run import ObservedRun


def trained(row: TensorRow) -> bool:
    """Whether the tensor moved, not merely by decay, and was not frozen all along."""
    frozen = row.declared.first is False and not row.declared.flips
    return row.changed.verdict == "yes" and not frozen and decay_alone(row.changed.movements) is None


def rest_of_module(row: TensorRow, run: ObservedRun) -> str | None:
    """That another weight of the same module is trained: then the loss merely does not depend on this one."""
    for other in run.beside(row):
        if other.kind == "parameter" and trained(other):
            return f"{other.name}, of the same module, was trained"
    return None


def expert_of_many(row: TensorRow, run: ObservedRun) -> str | None:
    """That a module of the same type beside this one, as in a list of experts or heads, was trained or called."""
    for other in run.of_type(row):
        if trained(other) and other.owner.path != row.owner.path and alike(other.owner.path, row.owner.path):
            return f"{other.name}, of a module of the same type beside it, was trained"
    return other_of_list_called(row)


def other_of_list_called(row: TensorRow) -> str | None:
    """That another module of the list in which this one stands was called, as a router does with experts."""
    return "another module of its list was called" if row.owner.sibling_called else None


def factor_of_zeros(row: TensorRow, run: ObservedRun) -> bool:
    """Whether it and another matrix of its module are all zeros: neither ever gets a gradient from their product."""
    return _is_zero_matrix(row) and any(map(_is_zero_matrix, run.beside(row)))


def _is_zero_matrix(row: TensorRow) -> bool:
    return bool(row.zeros) and len(row.shape) > 1 and row.declared.trainable is True


def moved_any(optimizer: str, run: ObservedRun) -> str | None:
    """A tensor that the optimizer holds and that moved, or None."""
    return next((row.name for row, _ in run.holdings[optimizer] if row.changed.verdict == "yes"), None)


def alike(one: str, other: str) -> bool:
    """Whether two module paths differ in one numbered piece only, as experts and heads in a list do."""
    mine, theirs = one.split("."), other.split(".")
    apart = [(a, b) for a, b in zip(mine, theirs, strict=False) if a != b]
    return (
        len(mine) == len(theirs)
        and len(apart) == 1
        and all(piece[-1:].isdigit() for piece in apart[0])
        and apart[0][0].rstrip("0123456789") == apart[0][1].rstrip("0123456789")
    )
