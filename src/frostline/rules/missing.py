"""T203: what a missing gradient comes from, and how grave that is."""

from __future__ import annotations

from frostline.core.ledger import LeafRow, Ledger
from frostline.core.record import Severity
from frostline.rules.beside import moved_any, rest_of_module_moved, trained

TAKEN_AWAY = "a backward pass made one, and nothing was left of it when the step came"


def severity(leaf: LeafRow, ledger: Ledger) -> Severity:
    """Missing gradients are an error when the cut was seen, and a note where an unused output explains them.

    A pooler or an auxiliary head that comes with a model and that this loss leaves out is healthy, and so is one expert
    of a list; a module that is not called, or whose output the code around it drops, may be forgotten. A whole
    network that is called and of which nothing is trained is no head to spare, unless the script keeps it fixed.
    """
    owner = leaf.owner
    if is_kept_fixed(leaf, ledger) or is_held_back(leaf, ledger):
        return "note"
    network = _network_at_rest(leaf, ledger)
    if owner.called and network:
        return "error" if len(network) > 1 else "warning"
    if is_unused(leaf, ledger) or (not owner.called and rest_of_module_moved(leaf, ledger)):
        return "note"
    if owner.detached or owner.reached or (owner.called and owner.recorded is False):
        return "error"
    return "note" if owner.sibling_called or (owner.called and not owner.dropped) else "warning"


def how(leaf: LeafRow, ledger: Ledger) -> str:
    """What was seen of the calls of a leaf's module, to say why no gradient arrived."""
    owner = leaf.owner
    independent = "the rest of its module got gradients, and the loss does not depend on this"
    eval_mode = " in eval mode," if owner.in_training is False else ""
    if leaf.cleared:
        return TAKEN_AWAY
    if not owner.called and rest_of_module_moved(leaf, ledger):
        return independent  # a function transform called the module, where calls are not watched
    if owner.called is None:
        return "its layer was not called, or what it returned was cut from the loss"
    if owner.called is False:
        beside = ", another of its list was" if owner.sibling_called else ""
        return f"its module was not called in the passes watched{beside}"
    if is_unused(leaf, ledger):
        return "its module was called and used it in none of the passes watched"
    if owner.recorded is False:
        return f"its module was called{eval_mode} without gradient recording"
    if owner.detached:
        return f"its module was called{eval_mode} and its output cut from the graph"
    if owner.reached:
        return "a gradient reached its module's output and went no further"
    if owner.dropped:
        return "its module was called and the module around it dropped what it returned"
    if rest_of_module_moved(leaf, ledger):
        return independent
    return "its module was called and its output took no part in the loss"


def is_kept_fixed(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the script itself keeps the leaf's module fixed, and merely lists it: a teacher, a published encoder.

    Such a network is called in eval mode only and its output cut off, while what the same program trains is in
    training mode. Who turns a flag on during the run wants it trained.
    """
    owner = leaf.owner
    if not owner.called or owner.in_training is not False or owner.reached or leaf.declared.flip_count:
        return False
    programs = {wire.program for wire in leaf.wired}
    return any(
        other.owner.in_training and trained(other) and programs & {wire.program for wire in other.wired}
        for other in ledger.leaves
    )


def is_held_back(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the script itself takes the leaf's gradient away before the steps that train other leaves."""
    return leaf.cleared and any(moved_any(wire.program, ledger) for wire in leaf.wired)


def is_unused(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the module computed something that was trained, without this weight: a mask token that no task asks for.

    What a pass reads may have been cut off; what none ever read is an option that this run does not take.
    """
    inside = f"{leaf.owner.path}." if leaf.owner.path else ""
    return leaf.read is False and any(
        trained(other) and other.kind == "parameter"
        for other in ledger.leaves
        if other is not leaf
        and other.model == leaf.model
        and (other.owner.path == leaf.owner.path or other.owner.path.startswith(inside))
    )


def _network_at_rest(leaf: LeafRow, ledger: Ledger) -> set[str]:
    """The modules that hold the weights of the leaf's model, where none of these weights moved."""
    weights = [row for row in ledger.leaves if row.model == leaf.model and row.kind == "parameter"]
    return {row.owner.path for row in weights} if all(row.changed.verdict == "no" for row in weights) else set()
