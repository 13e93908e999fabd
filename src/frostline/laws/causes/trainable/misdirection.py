"""Optimizers that step other tensors than those of the models in use: former ones, copies, another model's."""

from __future__ import annotations

from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.laws.observed_run import ObservedRun


def holds_former(optimizer: OptimizerRow, row: TensorRow) -> bool:
    """Whether the optimizer holds a tensor of the tensor's shape that no model has."""
    return row.shape in optimizer.foreign_shapes


def holds(optimizer: OptimizerRow, row: TensorRow) -> bool:
    """Whether the optimizer holds the tensor."""
    return any(holding.optimizer == optimizer.id and holding.listed for holding in row.optimizers)


def gone_on(row: TensorRow, run: ObservedRun) -> tuple[OptimizerRow, int] | None:
    """An optimizer that went on to step something in place of a tensor that was trained, and the step since when."""
    return _replaced(row, run) or _left_behind(row, run)


def _replaced(row: TensorRow, run: ObservedRun) -> tuple[OptimizerRow, int] | None:
    """An optimizer that keeps to the former tensor of a tensor, whose present one stands still since it is there."""
    since = row.replaced_at
    if since is None or (row.changed.last_step or 0) > since:
        return None
    on = [each for each in run.optimizers if each.last_step > since]
    return next(((each, since) for each in on if holds_former(each, row) or _holds_moved(each, row, run)), None)


def _holds_moved(optimizer: OptimizerRow, row: TensorRow, run: ObservedRun) -> bool:
    """Whether the optimizer holds what had the tensor's name before, and has another one in the model now."""
    return any(
        other.changed.followed == row.name and other.shape == row.shape and holds(optimizer, other)
        for other in run.tensors
    )


def _left_behind(row: TensorRow, run: ObservedRun) -> tuple[OptimizerRow, int] | None:
    """A copied optimizer: it took over from those that trained the tensor, and has copies of what they held.

    That its tensors never have a gradient tells it from one that trains something else.
    """
    trained_by = [optimizer for optimizer in run.optimizers if holds(optimizer, row)]
    since = max((optimizer.last_step for optimizer in trained_by), default=0)
    for optimizer in run.optimizers if since and not row.gone else ():
        took_over = bool(optimizer.checked_at) and optimizer.checked_at[0] > since
        if took_over and optimizer.no_gradient_at_last_check and not optimizer.holds and holds_former(optimizer, row):
            return optimizer, since
    return None


def exchanged(row: TensorRow, run: ObservedRun) -> tuple[OptimizerRow, TensorRow] | None:
    """An optimizer that steps the tensor of that name in another model, the one it was made for, without a gradient."""
    if not row.reached_by_backward:
        return None
    for optimizer in run.optimizers:
        if not (optimizer.no_gradient_at_last_check and optimizer.steps_executed):
            continue
        for other in run.held_by(optimizer.id):
            if other.model != row.model and namesakes(row, other):
                return optimizer, other
    return None


def taken_for_another(row: TensorRow, run: ObservedRun) -> bool:
    """Whether optimizers step this tensor without a gradient where another is in use; that is told with the other."""
    starved = any(optimizer.no_gradient_at_last_check and holds(optimizer, row) for optimizer in run.optimizers)
    return starved and any(
        other.reached_by_backward and not other.optimizers and other.model != row.model and namesakes(row, other)
        for other in run.tensors
    )


def namesakes(row: TensorRow, other: TensorRow) -> bool:
    """Whether two tensors have the same shape, and the same name in their models."""
    same_shape = (row.kind, row.shape) == (other.kind, other.shape)
    return same_shape and row.name.removeprefix(row.model) == other.name.removeprefix(other.model)
