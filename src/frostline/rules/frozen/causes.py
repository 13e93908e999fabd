"""F: which rule explains the move of a tensor that was declared frozen."""

from __future__ import annotations

from frostline.core.agreement import merged_into
from frostline.core.averages import by_gradient, followers, follows
from frostline.core.ledger import CONVERTED, MERGED, UNMERGED, Holding, Ledger, Movement, TensorRow
from frostline.rules.frozen.decay import made_by_decay, made_by_hand
from frostline.rules.frozen.rules import (
    DECAYED,
    FROZEN_BUT_CHANGED,
    LISTED,
    MOMENTUM,
    NOT_INHERITED,
    OVERWRITTEN,
    RAW_GRADIENT,
    REWRITTEN_IN_FORWARD,
    REWRITTEN_OUTSIDE,
    STALE_GRADIENT,
    STALE_STEP,
    STATISTICS,
    TIED,
)
from frostline.rules.optimizers import MISPLACED_AVERAGE
from frostline.rules.rule import Rule
from frostline.rules.traced import shown

TOGGLING = 2
AFTERWARDS = "after the last check during training"
FORWARD_ROLES = ("codebook", "spectral", "observer", "embedding", "normalisation")
Cause = tuple[Rule, str]
Causes = dict[str, tuple[Cause, Movement]]


def causes(ledger: Ledger) -> Causes:
    """What moved each tensor that moved while it was declared frozen, with the move that shows it.

    The rule comes with where the move was made: an optimizer, or the name of a place.
    """
    averages = followers(ledger.tensors)
    known: Causes = {}
    open_ones: list[tuple[TensorRow, Movement]] = []
    for row in ledger.tensors:
        moves = _moves_while_frozen(row, averages)
        if not moves or is_state(row, ledger):
            continue
        judged = [(cause, move) for move in moves if (cause := _cause(row, move, ledger)) is not None]
        if judged:
            merged = next((each for each in judged if each[0][1] == MERGED), None)
            undone = next((each for each in judged if each[0][1] == UNMERGED), None)
            known[row.name] = undone or (merged if merged and merged_into(row) else judged[0])
        else:
            open_ones.append((row, moves[0]))
    for row, move in open_ones:
        known[row.name] = (_cause_of_mates(row, move, known, ledger), move)
    return known


def _moves_while_frozen(row: TensorRow, averages: set[str]) -> list[Movement]:
    if never_declared(row):
        return []
    moves = moves_against_flags(row)
    if follows(row, averages):
        return by_gradient(move for move in moves if move.trainable is False)
    return moves


def moves_against_flags(row: TensorRow) -> list[Movement]:
    """The moves that were seen while a flag said frozen: the tensor's own, or one around it that a step passed over.

    A buffer is frozen with all weights of its module; whose module is switched on and off in turn is not.
    """
    if row.kind == "buffer" and row.declared.flip_count > TOGGLING:
        return []
    moves = [move for move in row.changed.movements if move.trainable is False]
    contradicted = row.declared.container_flag is False or any(not flag for _, flag in row.declared.alias_flags)
    if not moves and contradicted and row.declared.trainable:
        moves = [move for move in row.changed.movements if move.place == "step"]
    return moves


def never_declared(row: TensorRow) -> bool:
    """Whether the flag is only what every new tensor has: a master copy in no module, whose gradient is set by hand."""
    return not row.owner.type and row.declared.first is False and not row.declared.flips


def is_state(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the tensor is state, kept as a parameter without gradient: like a buffer it is frozen with its module.

    That is a vector of a power iteration, or what a module with trainable weights never had a gradient for and rewrites
    in its own forward pass, such as statistics; in a copy of the model that soon was gone, its namesake shows it.
    """
    return _is_vector(row, ledger) or (
        _may_be_state(row, ledger)
        and any(
            move.place == "forward"
            for other in ledger.tensors
            if _below(other) == _below(row) and other.shape == row.shape and _may_be_state(other, ledger)
            for move in other.changed.movements
        )
    )


def _may_be_state(row: TensorRow, ledger: Ledger) -> bool:
    return (
        row.kind == "parameter"
        and row.owner.role == "other"
        and row.declared.first is False
        and not row.declared.flips
        and all(move.place != "step" and move.event is None for move in row.changed.movements)
        and _beside_trainable(row, ledger)
    )


def _below(row: TensorRow) -> str:
    """The tensor's name inside the module that owns it."""
    return row.name.removeprefix(f"{row.model}.").removeprefix(f"{_module_of(row)}.")


def _module_of(row: TensorRow) -> str:
    """The path of the module that owns the tensor; around a list of parameters that is the next."""
    path = row.owner.path
    return path.rpartition(".")[0] if row.owner.type in ("ParameterList", "ParameterDict") else path


def _beside_trainable(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the module that owns the tensor has trainable weights too."""
    inside = _module_of(row)
    return any(
        other.kind == "parameter"
        and other.declared.trainable
        and (not inside or f"{other.owner.path}.".startswith(f"{inside}."))
        for other in ledger.tensors
        if other.model == row.model
    )


def _is_vector(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the tensor is a vector of a power iteration, beside a trained weight."""
    vector = row.owner.role == "spectral" and row.name.endswith(("_u", "_v")) and len(row.shape) == 1
    return (
        vector
        and all(move.place != "step" for move in row.changed.movements)
        and any(
            other.kind == "parameter" and other.declared.trainable and other.owner.path == row.owner.path
            for other in ledger.tensors
            if other.model == row.model
        )
    )


def _cause(row: TensorRow, move: Movement, ledger: Ledger) -> Cause | None:
    if move.event in (CONVERTED, UNMERGED):
        return REWRITTEN_OUTSIDE, move.event or ""
    match move.place:
        case "step":
            return _cause_in_step(row, move, ledger)
        case "forward":
            return (STATISTICS if row.owner.role == "normalisation" else REWRITTEN_IN_FORWARD), "forward"
        case "outside":
            return _cause_outside(row, move, ledger)
    if row.kind == "buffer" and row.owner.role == "normalisation":
        return STATISTICS, "forward"
    if row.owner.rewrites_in_forward:
        return REWRITTEN_IN_FORWARD, "forward"
    return (_overwritten(move), "outside") if move.equals else None


def _overwritten(move: Movement) -> Rule:
    """A copy was written over the tensor: its own, or that of another tensor which the new bits resemble."""
    return MISPLACED_AVERAGE if move.resembles else OVERWRITTEN


def _cause_in_step(row: TensorRow, move: Movement, ledger: Ledger) -> Cause | None:
    optimizer = move.optimizer or ""
    holding = next((holding for holding in row.optimizers if holding.optimizer == optimizer), None)
    if _shares_bits_with_trained(row, ledger):
        return TIED, optimizer
    if row.declared.container_flag is False and row.declared.trainable:
        return NOT_INHERITED, optimizer
    if holding is not None and holding.captured and not row.declared.trainable:
        return STALE_STEP, optimizer
    if row.kind == "buffer" and _stale_owner(row, ledger, optimizer):
        return STALE_STEP, optimizer
    if shown(row, "raw-gradient", ledger):
        return RAW_GRADIENT, optimizer
    if shown(row, "decayed", ledger):
        return DECAYED, optimizer
    if row.owner.rewrites_in_forward:
        return REWRITTEN_IN_FORWARD, optimizer
    if move.event == "average overwritten":
        return OVERWRITTEN, optimizer
    if row.kind == "buffer":
        return (STATISTICS if row.owner.role == "normalisation" else REWRITTEN_IN_FORWARD), optimizer
    return _cause_by_gradient(row, move, holding, optimizer)


def _cause_by_gradient(row: TensorRow, move: Movement, holding: Holding | None, optimizer: str) -> Cause | None:
    if move.gradient == "nonzero":
        was_trainable = row.declared.first or any(flip.now is False for flip in row.declared.flips)
        return (STALE_GRADIENT if was_trainable else LISTED), optimizer
    if made_by_decay(row, move):
        return DECAYED, optimizer
    if move.equals:
        return _overwritten(move), optimizer
    if move.gradient == "zero" and move.state:
        return MOMENTUM, optimizer
    if move.gradient == "unknown" and holding is not None and holding.listed:
        return LISTED, optimizer
    return None


def _cause_outside(row: TensorRow, move: Movement, ledger: Ledger) -> Cause | None:
    if row.kind == "buffer" and row.owner.role == "normalisation" and move.event is None:
        return STATISTICS, "forward"
    if move.event:
        return REWRITTEN_OUTSIDE, move.event
    if made_by_hand(row, move):
        return DECAYED, "outside"
    if any(optimizer.by_hand for optimizer in ledger.optimizers):
        return REWRITTEN_OUTSIDE, "outside"  # the script computes the new values itself, and may still hold them
    if move.equals:
        return _overwritten(move), "outside"
    if row.owner.role in FORWARD_ROLES and row.owner.called is None:
        return REWRITTEN_IN_FORWARD, "forward"
    if move.shift is not None:
        return REWRITTEN_OUTSIDE, "outside"
    return None


def _cause_of_mates(row: TensorRow, move: Movement, known: Causes, ledger: Ledger) -> Cause:
    """A tensor whose own moves show no cause shares that of a tensor of its model that moved in the same interval.

    The other tensor may have moved again since, and shown its cause only then.
    """
    for other in ledger.tensors:
        if other.name in known and other.model == row.model and other.kind == row.kind:
            cause, judged = known[other.name]
            if any(_together(move, theirs) for theirs in (judged, *_moves_while_frozen(other, set()))):
                return cause
    holders = [ledger.optimizer(holding.optimizer) for holding in row.optimizers if holding.listed]
    if move.late and all(optimizer.last_step <= move.since for optimizer in holders):  # exporting, converting, merging
        return REWRITTEN_OUTSIDE, AFTERWARDS
    if move.place == "outside":
        return REWRITTEN_OUTSIDE, "outside"
    return FROZEN_BUT_CHANGED, move.optimizer or move.place


def _together(one: Movement, other: Movement) -> bool:
    same_place = one.place == other.place or "between" in (one.place, other.place)
    return same_place and other.since <= one.until and one.since <= other.until


def _shares_bits_with_trained(row: TensorRow, ledger: Ledger) -> bool:
    if row.declared.alias_flags:
        return True
    trained = {other.name for other in ledger.tensors if other.declared.trainable and other.optimizers}
    return any(name in trained for name in row.overlaps)


def _stale_owner(row: TensorRow, ledger: Ledger, optimizer: str) -> bool:
    """Whether the parameters beside a buffer were captured by the step when they were still trainable."""
    return any(
        holding.optimizer == optimizer and holding.captured and not other.declared.trainable
        for other in ledger.tensors
        if other.owner.path == row.owner.path and other.model == row.model and other.kind == "parameter"
        for holding in other.optimizers
    )
