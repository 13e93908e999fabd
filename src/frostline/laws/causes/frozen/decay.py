"""Whether weight decay alone made a move, in either way that optimizers have of decaying.

Some multiply the weight by a factor. Others (Adam with its own weight_decay) take the decay for a gradient and scale
it, so that there is no one factor; then every element that is large beside the move goes towards zero.
"""

from __future__ import annotations

from frostline.core.ledger import Movement, TensorRow

A_LITTLE = 0.9  # the smallest factor that is decay of one step; a smaller one is a scaling of another kind


def made_by_decay(row: TensorRow, move: Movement) -> bool:
    """Whether a step decayed the tensor. One that is too small to show it is judged by the gradients that were seen."""
    if move.shift is None:
        return False
    if move.shift.ratio is not None and _is_decay(move):
        return True
    if not move.weight_decay or move.gradient != "zero" or move.shift.shrunk is False:
        return False
    return bool(move.shift.shrunk) or _never_pulled(row, move.optimizer)


def made_by_hand(row: TensorRow, move: Movement) -> bool:
    """Whether the script shrank the tensor itself, outside every step, a little and more than once."""
    ratio = move.shift.ratio if move.shift is not None else None
    again = sum(each.place != "step" for each in row.changed.movements) > 1
    return move.place == "outside" and ratio is not None and A_LITTLE <= ratio < 1 and again


def decay_alone(moves: list[Movement]) -> Movement | None:
    """The move that shows decay, where all of these moves are of steps that decayed, and of nothing else."""
    in_steps = [move for move in moves if move.place == "step"]
    moves = [move for move in moves if not _puts_back(move, in_steps)]
    if any(move.gradient == "nonzero" for move in in_steps) or any(m.place not in ("step", "between") for m in moves):
        return None
    shown = [(move, move.shift) for move in in_steps if move.shift is not None]
    shifts = [move.shift for move in moves if move.shift is not None]
    if all(shift.ratio is not None for _, shift in shown):
        alone = shown and _is_decay(shown[0][0]) and not any(shift.grown for shift in shifts)
        return shown[0][0] if alone else None
    if (
        not in_steps[0].weight_decay
        or any(move.gradient != "zero" for move in in_steps)
        or any(shift.shrunk is False for shift in shifts)
    ):
        return None
    return next((move for move, shift in shown if shift.shrunk), None)


def _puts_back(move: Movement, in_steps: list[Movement]) -> bool:
    """Whether earlier weights were restored, as of the best epoch: all grow again, by no more than steps took away."""
    sizes = [step.shift.max_ulp for step in in_steps if step.shift is not None]
    if move.place != "outside" or move.shift is None or not move.shift.grown or move.shift.grown != move.shift.moved:
        return False
    return (move.shift.max_ulp or 0) <= max((size or 0 for size in sizes), default=0) * move.until


def _is_decay(move: Movement) -> bool:
    """Whether a move by one factor is decay: it has that name, or another and the factor is below one."""
    ratio = move.shift.ratio if move.shift is not None else None
    return bool(move.weight_decay) or (ratio is not None and 0 < ratio < 1)


def _never_pulled(row: TensorRow, optimizer: str | None) -> bool:
    """Whether the optimizer had no state of the tensor when it first moved it, and no gradient but zero was seen."""
    first = next((move for move in row.changed.movements if move.place == "step" and move.optimizer == optimizer), None)
    pulled = any(holding.gradients.get("nonzero") for holding in row.optimizers if holding.optimizer == optimizer)
    return first is not None and not first.state and not pulled
