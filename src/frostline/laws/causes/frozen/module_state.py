"""State that a module keeps as a parameter without gradients: like a buffer it is frozen with its module."""

from __future__ import annotations

from frostline.core.ledger import TensorRow
from frostline.laws.observed_run import ObservedRun


def is_state(row: TensorRow, run: ObservedRun) -> bool:
    """Whether the tensor is state, kept as a parameter without gradient.

    That is a vector of a power iteration, or what a module with trainable weights never had a gradient for and rewrites
    in its own forward pass, such as statistics; in a copy of the model that soon was gone, its namesake shows it.
    """
    return _may_be_state(row, run) and (
        _kept_for_a_power_iteration(row)
        or any(
            move.place == "forward"
            for other in run.tensors
            if _below(other) == _below(row) and other.shape == row.shape and _may_be_state(other, run)
            for move in other.changed.movements
        )
    )


def _kept_for_a_power_iteration(row: TensorRow) -> bool:
    """Whether the tensor is of a spectral normalisation, and was rewritten again and again."""
    return row.owner.role == "spectral" and len(row.changed.movements) > 1


def _may_be_state(row: TensorRow, run: ObservedRun) -> bool:
    return (
        row.kind == "parameter"
        and row.owner.role in ("other", "spectral")
        and row.declared.first is False
        and not row.declared.flips
        and all(move.place != "step" and move.event is None for move in row.changed.movements)
        and _beside_trainable(row, run)
    )


def _below(row: TensorRow) -> str:
    """The tensor's name inside the module that owns it."""
    return row.name.removeprefix(f"{row.model}.").removeprefix(f"{_module_of(row)}.")


def _module_of(row: TensorRow) -> str:
    """The path of the module that owns the tensor; around a list of parameters that is the next."""
    path = row.owner.path
    return path.rpartition(".")[0] if row.owner.type in ("ParameterList", "ParameterDict") else path


def _beside_trainable(row: TensorRow, run: ObservedRun) -> bool:
    """Whether the module that owns the tensor has trainable weights too."""
    inside = _module_of(row)
    return any(
        other.kind == "parameter"
        and other.declared.trainable
        and (not inside or f"{other.owner.path}.".startswith(f"{inside}."))
        for other in run.models[row.model]
    )
