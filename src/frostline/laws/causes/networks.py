"""W404: a network that another network's optimizer trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from frostline.core.amounts import tensors
from frostline.core.events import NetworkContinued, NetworkInParallel
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Cause, Mitigation
from frostline.laws.observed_run import ObservedRun


def _cases(run: ObservedRun) -> Iterator[Case]:
    yield from _of_another(run)
    yield from _in_eval(run)


def _of_another(run: ObservedRun) -> Iterator[Case]:
    """A whole network with an optimizer of its own that also stands, entire, in the optimizer of another network."""
    held = {each.id: {row.model for row in run.held_by(each.id)} for each in run.optimizers if each.steps_executed}
    for optimizer, models in held.items():
        for model in models if len(models) > 1 else ():
            others = {other: theirs for other, theirs in held.items() if other != optimizer}
            own = [other for other, theirs in others.items() if theirs == {model}]
            if not own or (models - {model}) in others.values():
                continue
            rows = [row for row in run.models[model] if row.declared.trainable and _moved_by(row, optimizer)]
            if rows and _entire(run.models[model], optimizer) and not _goes_on(model, optimizer, run):
                yield Case(
                    rows,
                    f"{tensors(rows)} of {model}, which {own[0]} trains, are updated by {optimizer} as well",
                    {"optimizer": optimizer, "own_program": own[0], "models_of_program": sorted(models)},
                    mitigated=FURTHER.proven((rows, own, optimizer, run)),
                )


def _goes_on(model: str, optimizer: str, run: ObservedRun) -> bool:
    """Whether the optimizer also trains what stands behind the network: a head, with which it is trained further."""
    behind = {name for event in run.events_of(NetworkContinued) if event.network == model for name in event.tensors}
    return any(row.name in behind for row in run.held_by(optimizer))


def _entire(rows: Sequence[TensorRow], optimizer: str) -> bool:
    """Whether the optimizer holds every trainable weight of the network: a shared part alone is no mistake."""
    weights = [row for row in rows if row.kind == "parameter" and row.declared.trainable]
    return all(any(holding.optimizer == optimizer and holding.listed for holding in row.optimizers) for row in weights)


def _moved_by(row: TensorRow, optimizer: str) -> bool:
    return f"{optimizer} step" in row.changed.during or any(
        holding.optimizer == optimizer and holding.gradients.get("nonzero") for holding in row.optimizers
    )


def _trained_further(seen: tuple[list[TensorRow], list[str], str, ObservedRun]) -> str | None:
    """The network's own optimizers had made their last step before the other one began."""
    rows, own, optimizer, run = seen
    began = run.optimizer(optimizer).checked_at
    if not began or _teaches(rows, optimizer, run) or any(run.optimizer(each).last_step >= began[0] for each in own):
        return None
    return f"{own[0]} made its last step before the first of {optimizer}"


def _teaches(rows: list[TensorRow], optimizer: str, run: ObservedRun) -> bool:
    """Whether a network that nothing trained before stands beside this one and takes and returns what it does."""
    names = {row.name for row in rows}
    for event in run.events_of(NetworkInParallel):
        if names <= set(event.tensors):
            holdings = (holding for row in _rows(event.beside, run) for holding in row.optimizers)
            return all(holding.optimizer == optimizer for holding in holdings if holding.listed)
    return False


def _rows(names: Sequence[str], run: ObservedRun) -> list[TensorRow]:
    """The rows of tensors that are there at the end."""
    return [run.named[name] for name in names if name in run.named]


def _in_eval(run: ObservedRun) -> Iterator[Case]:
    """A part in eval mode as a whole, beside one in training mode that answers the same input, and trained with it."""
    for event in run.events_of(NetworkInParallel):
        rows = _rows(event.tensors, run)
        trained = [row for row in rows if row.declared.trainable and _moved_in_step(row)]
        if trained and all(row.declared.training is False for row in rows):
            part, optimizer = _part(event.tensors), trained[0].optimizers[0].optimizer
            yield Case(
                trained,
                f"{tensors(trained)} of {part} are trained by {optimizer} while it is in eval mode beside "
                f"{_part(event.beside)}, which is in training mode and answers the same input",
                {"part": part, "training_mode": False, "flag": True, "optimizer": optimizer},
                hint=f"eval() does not freeze: call {part.rpartition('.')[2]}.requires_grad_(False)",
            )


def _moved_in_step(row: TensorRow) -> bool:
    return any(move.place == "step" for move in row.changed.movements) and bool(row.optimizers)


def _part(names: Sequence[str]) -> str:
    """The module that all these tensors are in, by their names."""
    pieces = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return ".".join(same[0] for same in takewhile(lambda each: len(set(each)) == 1, pieces))


FURTHER = Mitigation(
    "trained further",
    "The network's own optimizer was over before, and no new network learns beside it: it may be meant to go on.",
    _trained_further,
    hint="nothing to do where it is meant to be trained further; freeze it where it only measures or teaches",
)
OTHER_OPTIMIZER = Cause(
    code="W404",
    slug="trained-by-another-optimizer",
    severity="warning",
    law="L3",
    means="A tensor that belongs to one network is updated by the step of another.",
    matters="The generator's step trains the discriminator; the student's step trains the teacher.",
    remedy="give each optimizer the parameters of its own network only",
    tells_apart="Its network has an optimizer of its own (or is in eval mode as a whole), and another one moves it.",
    mitigations=(FURTHER,),
    cases=_cases,
)
