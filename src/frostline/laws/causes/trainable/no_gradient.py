"""T203: what a missing gradient comes from, and how grave that is."""

from __future__ import annotations

from collections.abc import Sequence

from frostline.core.events import AddedLossUnread
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Mitigation
from frostline.laws.causes.trainable.neighbours import other_of_list_called, rest_of_module, trained
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether
from frostline.laws.observed_run import ObservedRun

TAKEN_AWAY = "a backward pass made one, and nothing was left of it when the step came"
_NEVER_CALLED = "its module was not called in the passes watched"
_ANOTHER_CALLED = f"{_NEVER_CALLED}, another of its list was"
ADD_THEM = "add what model.losses has to the loss: in compute_loss, or where the step computes it"
LEAVE_ALONE = "leave gradients alone between the backward pass and the step; freeze by flag what is meant to stay"


def _no_gradient(still: Still) -> Explained | None:
    missing = still.is_steppable and still.gradients == {"none"}
    return Explained(still.optimizer, still.steps, _how(still.row, still.run)) if missing else None


def _how(row: TensorRow, run: ObservedRun) -> str:
    """What was seen of the calls of a tensor's module, to say why no gradient arrived."""
    owner = row.owner
    independent = "the rest of its module got gradients, and the loss does not depend on this"
    eval_mode = " in eval mode," if owner.in_training is False else ""
    if row.cleared:
        return TAKEN_AWAY
    if dropped := loss_unread(row, run):
        return dropped
    if not owner.called and rest_of_module(row, run):
        return independent  # a function transform called the module, where calls are not watched
    if owner.called is None:
        return "its layer was not called, or what it returned was cut from the loss"
    if owner.called is False:
        return _ANOTHER_CALLED if owner.sibling_called else _NEVER_CALLED
    if _reader(row, run):
        return "its module was called and used it in none of the passes watched"
    if owner.recorded is False:
        return f"its module was called{eval_mode} without gradient recording"
    if owner.detached:
        return f"its module was called{eval_mode} and its output cut from the graph"
    if owner.output_got_gradient:
        return "a gradient reached its module's output and went no further"
    if owner.dropped:
        return "its module was called and the module around it dropped what it returned"
    if rest_of_module(row, run):
        return independent
    return "its module was called and its output took no part in the loss"


def loss_unread(row: TensorRow, run: ObservedRun) -> str:
    """That its layer has a loss of its own, which is in no loss that was minimised; nothing where it has none."""
    layer = next((event.layer for event in run.events_of(AddedLossUnread) if row.name in event.tensors), None)
    return f"{layer} gave a loss to add_loss, and nothing read the model's losses" if layer is not None else ""


def _kept_fixed(still: Still) -> str | None:
    """The script itself keeps the module fixed, and merely lists it: a teacher, a published encoder.

    Such a network is called in eval mode only and its output cut off, while what the same optimizer trains is in
    training mode. Who turns a flag on during the run wants it trained.
    """
    row, owner = still.row, still.row.owner
    if not owner.called or owner.in_training is not False or owner.output_got_gradient or row.declared.flip_count:
        return None
    for holding in row.optimizers:
        for other, _ in still.run.holdings[holding.optimizer]:
            if other.owner.in_training and trained(other):
                return f"its module is called in eval mode only, and {other.name} beside it in training mode"
    return None


def _unused(still: Still) -> str | None:
    """An option that this run does not take."""
    other = None if _whole_network(still) else _reader(still.row, still.run)
    return f"no forward pass read it, and {other} in the same module was trained" if other else None


def _reader(row: TensorRow, run: ObservedRun) -> str | None:
    """What a module computed that was trained, without this weight: a mask token that no task asks for.

    What a pass reads may have been cut off; what none ever read is an option that this run does not take.
    """
    if row.read is not False:
        return None
    inside = f"{row.owner.path}." if row.owner.path else ""
    for other in run.models[row.model]:
        below = other.owner.path == row.owner.path or other.owner.path.startswith(inside)
        if other is not row and other.kind == "parameter" and below and trained(other):
            return other.name
    return None


def _rest_trained(still: Still) -> str | None:
    """A function transform called the module, where calls are not watched, or the loss is on slopes."""
    return rest_of_module(still.row, still.run) if not still.row.owner.called else None


def _expert(still: Still) -> str | None:
    return None if _cut(still.row) or _whole_network(still) else other_of_list_called(still.row)


def _spare_output(still: Still) -> str | None:
    """A pooler or an auxiliary head that comes with a model and that this loss leaves out."""
    owner = still.row.owner
    spare = owner.called and not owner.dropped and not _cut(still.row) and not _whole_network(still)
    return "its module was called, and nothing cut its output from the loss" if spare else None


def _may_be_spare(still: Still) -> str | None:
    """Nothing was seen to cut it: a module that is not called, or whose output was dropped, may be forgotten."""
    row = still.row
    network = _whole_network(still)
    if network:
        return "it is all of its network, and a single module" if len(network) == 1 else None
    if _cut(row) or loss_unread(row, still.run):
        return None
    return "nothing was seen that cuts it from the loss: its module was not called, or its output not used"


def _cut(row: TensorRow) -> bool:
    """Whether it was seen where the gradient was lost."""
    owner = row.owner
    unrecorded = owner.called and owner.recorded is False
    return bool(row.cleared or owner.detached or owner.output_got_gradient or unrecorded)


def _whole_network(still: Still) -> set[str]:
    """The modules that hold the weights of a model that was called, where none of these weights moved.

    A whole network that is called and of which nothing is trained is no head to spare.
    """
    if not still.row.owner.called:
        return set()
    weights = [row for row in still.run.models[still.row.model] if row.kind == "parameter"]
    return {row.owner.path for row in weights} if all(row.changed.verdict == "no" for row in weights) else set()


def _says(still: StillTogether) -> str:
    """The message; a module that no forward pass calls is named."""
    why = still.explained.why
    if why == _NEVER_CALLED:
        why = f"forward() never called {_modules(still.rows)} in the passes watched"
    return f"{still.held}: no gradient arrived ({why})"


def _modules(rows: Sequence[TensorRow]) -> str:
    """The outermost of the modules that hold these tensors and were all not called, as the script writes them."""
    paths = list(dict.fromkeys(row.owner.path for row in rows))
    outer = [path for path in paths if not any(path.startswith(f"{other}.") for other in paths)]
    named = [".".join(filter(None, (rows[0].model, path))) for path in outer]
    return ", ".join(named) if len(named) <= 2 else f"{named[0]} and {len(named) - 1:,} others"


def about_cleared(still: StillTogether) -> str | None:
    """What to do where a gradient was there and was taken away, or where a loss was left out."""
    if loss_unread(still.rows[0], still.each[0].run):
        return ADD_THEM
    if not still.rows[0].cleared or (still.mitigated is not None and still.mitigated.hint):
        return None
    return LEAVE_ALONE


def _advice(still: StillTogether) -> str | None:
    never_called = still.explained.why == _NEVER_CALLED and not (still.mitigated is not None and still.mitigated.hint)
    if never_called:
        return f"call {_modules(still.rows)} in forward(), or take it out of the model"
    return about_cleared(still)


NO_GRADIENT = StillCause(
    code="T203",
    slug="no-gradient",
    severity="error",
    law="L2",
    means="A tensor held by an optimizer had no gradient at any check.",
    matters="Its module was not called, was called without gradient recording, or its output was cut from the loss.",
    remedy="look for no_grad, detach, .data, reentrant checkpointing with frozen inputs, or an unused output",
    tells_apart="The gradient is missing, not zero; the evidence says whether the module was called and recorded.",
    explains=_no_gradient,
    says=_says,
    advice=_advice,
    mitigations=(
        Mitigation(
            "kept fixed",
            "The script keeps a network in eval mode, without gradients, while all else is in training mode.",
            _kept_fixed,
            hint="right for a fixed network such as a teacher: freeze it by flag, or do not list it, so that it shows",
        ),
        Mitigation("an option", "No forward pass reads the weight, and the rest of its module is trained.", _unused),
        Mitigation(
            "rest of the module",
            "The rest of its module is trained, and the loss does not depend on this.",
            _rest_trained,
        ),
        Mitigation("expert of many", "Another module of its list was called.", _expert),
        Mitigation(
            "spare output", "The module was called, and this loss has no use for what it returns.", _spare_output
        ),
        Mitigation(
            "nothing cut it", "It may be forgotten, or meant to be left out.", _may_be_spare, severity="warning"
        ),
    ),
)
