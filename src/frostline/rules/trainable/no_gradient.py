"""T203: what a missing gradient comes from, and how grave that is."""

from __future__ import annotations

from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Severity
from frostline.rules.trainable.neighbours import moved_any, rest_of_module_moved, trained

TAKEN_AWAY = "a backward pass made one, and nothing was left of it when the step came"


def severity(row: TensorRow, ledger: Ledger) -> Severity:
    """Missing gradients are an error when the cut was seen, and a note where an unused output explains them.

    A pooler or an auxiliary head that comes with a model and that this loss leaves out is healthy, and so is one expert
    of a list; a module that is not called, or whose output the code around it drops, may be forgotten. A whole
    network that is called and of which nothing is trained is no head to spare, unless the script keeps it fixed.
    """
    owner = row.owner
    if is_kept_fixed(row, ledger) or is_held_back(row, ledger):
        return "note"
    network = _network_at_rest(row, ledger)
    if owner.called and network:
        return "error" if len(network) > 1 else "warning"
    if is_unused(row, ledger) or (not owner.called and rest_of_module_moved(row, ledger)):
        return "note"
    if owner.detached or owner.output_got_gradient or (owner.called and owner.recorded is False):
        return "error"
    return "note" if owner.sibling_called or (owner.called and not owner.dropped) else "warning"


def how(row: TensorRow, ledger: Ledger) -> str:
    """What was seen of the calls of a tensor's module, to say why no gradient arrived."""
    owner = row.owner
    independent = "the rest of its module got gradients, and the loss does not depend on this"
    eval_mode = " in eval mode," if owner.in_training is False else ""
    if row.cleared:
        return TAKEN_AWAY
    if not owner.called and rest_of_module_moved(row, ledger):
        return independent  # a function transform called the module, where calls are not watched
    if owner.called is None:
        return "its layer was not called, or what it returned was cut from the loss"
    if owner.called is False:
        beside = ", another of its list was" if owner.sibling_called else ""
        return f"its module was not called in the passes watched{beside}"
    if is_unused(row, ledger):
        return "its module was called and used it in none of the passes watched"
    if owner.recorded is False:
        return f"its module was called{eval_mode} without gradient recording"
    if owner.detached:
        return f"its module was called{eval_mode} and its output cut from the graph"
    if owner.output_got_gradient:
        return "a gradient reached its module's output and went no further"
    if owner.dropped:
        return "its module was called and the module around it dropped what it returned"
    if rest_of_module_moved(row, ledger):
        return independent
    return "its module was called and its output took no part in the loss"


def is_kept_fixed(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the script itself keeps the tensor's module fixed, and merely lists it: a teacher, a published encoder.

    Such a network is called in eval mode only and its output cut off, while what the same optimizer trains is in
    training mode. Who turns a flag on during the run wants it trained.
    """
    owner = row.owner
    if not owner.called or owner.in_training is not False or owner.output_got_gradient or row.declared.flip_count:
        return False
    optimizers = {holding.optimizer for holding in row.optimizers}
    return any(
        other.owner.in_training and trained(other) and optimizers & {holding.optimizer for holding in other.optimizers}
        for other in ledger.tensors
    )


def is_held_back(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the script itself takes the tensor's gradient away before the steps that train other tensors."""
    return bool(row.cleared) and any(moved_any(holding.optimizer, ledger) for holding in row.optimizers)


def is_unused(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the module computed something that was trained, without this weight: a mask token that no task asks for.

    What a pass reads may have been cut off; what none ever read is an option that this run does not take.
    """
    inside = f"{row.owner.path}." if row.owner.path else ""
    return row.read is False and any(
        trained(other) and other.kind == "parameter"
        for other in ledger.tensors
        if other is not row
        and other.model == row.model
        and (other.owner.path == row.owner.path or other.owner.path.startswith(inside))
    )


def _network_at_rest(tensor_row: TensorRow, ledger: Ledger) -> set[str]:
    """The modules that hold the weights of the tensor's model, where none of these weights moved."""
    weights = [row for row in ledger.tensors if row.model == tensor_row.model and row.kind == "parameter"]
    return {row.owner.path for row in weights} if all(row.changed.verdict == "no" for row in weights) else set()
