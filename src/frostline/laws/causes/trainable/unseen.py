"""T: causes for which no model lists a tensor that takes part in the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core.events import LayersUntracked, ModulesRecreated, VariablesUntracked
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Mitigation
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether
from frostline.laws.observed_run import ObservedRun


def _pretrained_beside(still: Still) -> str | None:
    """A weight of the layers that nobody tracks looks unlike what its initialiser draws."""
    rows = [still.run.named[name] for name in _untracked_with(still) if name in still.run.named]
    return next((_looks_trained(row) for row in rows if is_pretrained(row)), None)


def _looks_trained(row: TensorRow) -> str:
    return f"the values of {row.name} are not those of an initialiser: it was trained before, or loaded"


def _untracked_with(still: Still) -> Sequence[str]:
    """The tensors of the untracked layers that this one belongs to, by name; none where it belongs to no such layer."""
    told = (event.tensors for event in still.run.events_of(LayersUntracked))
    return next((names for names in told if still.row.name in names), ())


def _never_tracked(still: Still) -> Explained | None:
    return Explained() if still.situation == "unregistered" and _untracked_with(still) else None


def _which_layer(still: StillTogether) -> str:
    if any(is_pretrained(row) for row in still.rows):
        layer = "the model does not track their layer, which was trained before or loaded"
        return f"{still.what} did not change: {layer}"
    return f"{still.what} did not change: the model does not track the layer that owns them"


NEVER_TRACKED = StillCause(
    code="T212",
    slug="never-tracked",
    severity="error",
    law="L10",
    means="A layer is kept where the model cannot see it, so neither summary nor optimizer lists its weights.",
    matters="It takes part in every forward pass and is never trained nor saved.",
    remedy="keep layers as attributes or in lists and dicts of the model, not inside plain objects",
    tells_apart="The layer hangs under an attribute that the framework does not track.",
    explains=_never_tracked,
    says=_which_layer,
    mitigations=(Mitigation("pretrained", "A network trained before, to measure or to guide by.", _pretrained_beside),),
)


def _unregistered(still: Still) -> Explained | None:
    """A backward pass reached the tensor, unless it is lent; or the framework told of a variable outside its lists."""
    row, run = still.row, still.run
    if still.situation != "unregistered":
        return None
    if row.reached_by_backward:
        return None if is_lent(row.model, run) else Explained()
    stray = any(row.name in event.tensors for event in run.events_of(VariablesUntracked))
    return Explained("", row.declared.trainable_steps) if stray else None


def is_pretrained(row: TensorRow) -> bool:
    """Whether the weights look unlike what their initialiser draws: a fixed network, to measure or to guide by."""
    return row.owner.default_initialised is False


def _pretrained(still: Still) -> str | None:
    row = still.row
    return _looks_trained(row) if is_pretrained(row) and not row.reached_by_backward else None


def _not_reached(still: Still) -> str | None:
    return None if still.row.reached_by_backward else "no backward pass was seen to reach it"


def is_lent(model: str, run: ObservedRun) -> bool:
    """Whether all weights of a model were loaded and no optimizer holds any: one made to compute gradients with."""
    weights = [row for row in run.models[model] if row.kind == "parameter" and row.registered]
    return bool(weights) and all(row.loaded and not row.optimizers for row in weights)


def _recreated(run: ObservedRun, explained: set[str]) -> Iterator[Case]:
    """Layers with weights of their own that are made in every forward pass."""
    for event in run.events_of(ModulesRecreated):
        if event.passes > 1:
            yield Case(
                [],
                f"a new {event.type} with weights of its own is made in every forward pass; no optimizer can ever "
                "train it",
                {"module": event.type, "passes_seen": event.passes},
                hint="make the layer once, in the constructor, and keep it as an attribute",
            )


UNREGISTERED = StillCause(
    code="T210",
    slug="unregistered-tensor",
    severity="error",
    law="L10",
    means="A parameter that the forward pass uses is in no model's parameters: kept in a plain list or alone.",
    matters="No optimizer that is given model.parameters() will ever see it, and it is not saved.",
    remedy="use ModuleList, ModuleDict, ParameterList, or register the parameter itself as an attribute: "
    "nn.Parameter(x).float() is another tensor",
    tells_apart="Backward reached it; no module lists it and no optimizer holds it.",
    explains=_unregistered,
    says=lambda still: f"{still.what} did not change: the model does not list them",
    mitigations=(
        Mitigation("pretrained", "A fixed network, to measure or to guide by.", _pretrained),
        Mitigation("not reached", "No gradient was seen to arrive.", _not_reached, severity="warning"),
    ),
    of_optimizers=_recreated,
)
