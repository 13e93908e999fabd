"""Programs that step other tensors than those of the models in use: former ones, copies, another model's."""

from __future__ import annotations

from frostline.core.ledger import LeafRow, Ledger, Program


def holds_former(program: Program, leaf: LeafRow) -> bool:
    """Whether the program holds a tensor of the leaf's shape that no model has."""
    return any(orphan.endswith(f"of shape {tuple(leaf.shape)}") for orphan in program.orphans)


def holds(program: Program, leaf: LeafRow) -> bool:
    """Whether the program holds the leaf."""
    return any(wire.program == program.id and wire.listed for wire in leaf.wired)


def gone_on(leaf: LeafRow, ledger: Ledger) -> tuple[Program, int] | None:
    """A program that went on to step something in place of a leaf that was trained, and the step since when."""
    return _stranded(leaf, ledger) or _left_behind(leaf, ledger)


def _stranded(leaf: LeafRow, ledger: Ledger) -> tuple[Program, int] | None:
    """A program that keeps to the former tensor of a leaf, whose present one stands still since it is there."""
    since = leaf.stranded_at
    if since is None or (leaf.changed.last_step or 0) > since:
        return None
    on = [each for each in ledger.programs if each.last_step > since]
    return next(((each, since) for each in on if holds_former(each, leaf) or _holds_moved(each, leaf, ledger)), None)


def _holds_moved(program: Program, leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the program holds what had the leaf's name before, and has another one in the model now."""
    moved = [other for other in ledger.leaves if other.changed.followed == leaf.name and other.shape == leaf.shape]
    return any(holds(program, other) for other in moved)


def _left_behind(leaf: LeafRow, ledger: Ledger) -> tuple[Program, int] | None:
    """A program that took over from those that trained the leaf, and has copies of what they held: a copied optimizer.

    That its tensors never have a gradient tells it from one that trains something else.
    """
    trained_by = [program for program in ledger.programs if holds(program, leaf)]
    since = max((program.last_step for program in trained_by), default=0)
    for program in ledger.programs if since and not leaf.gone else ():
        took_over = bool(program.checked_at) and program.checked_at[0] > since
        if took_over and program.starved and not program.holds and holds_former(program, leaf):
            return program, since
    return None


def exchanged(leaf: LeafRow, ledger: Ledger) -> tuple[Program, LeafRow] | None:
    """A program that steps, without a gradient, the leaf of the same name in another model: the one it was made for.

    Args:
        leaf: that no program holds, and that gradients reach.
        ledger: what was seen.
    """
    starved = [program for program in ledger.programs if program.starved and program.steps_executed]
    for program in starved if leaf.reached_by_backward else ():
        for other in ledger.leaves:
            if other.model != leaf.model and _namesakes(leaf, other) and holds(program, other):
                return program, other
    return None


def taken_for_another(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether programs step this leaf without a gradient where another is in use; that is told with the other."""
    starved = any(program.starved and holds(program, leaf) for program in ledger.programs)
    return starved and any(
        other.reached_by_backward and not other.wired and other.model != leaf.model and _namesakes(leaf, other)
        for other in ledger.leaves
    )


def _namesakes(leaf: LeafRow, other: LeafRow) -> bool:
    """Whether two leaves have the same shape, and the same name in their models."""
    same_shape = (leaf.kind, leaf.shape) == (other.kind, other.shape)
    return same_shape and leaf.name.removeprefix(leaf.model) == other.name.removeprefix(other.model)
