"""What a Keras lets one conclude about gradients and copies, from what a step was given and what optimizers keep."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from frostline.core.facts import Held
from frostline.core.ledger import HALF_UNIT, Gradient, Holding, Place
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layer_topology import before
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.accumulation import has_applied
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source, carries
from frostline.frameworks.keras_common.optimizers.update_bounds import in_units, is_plain_descent
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Unreadable

FULL_PRECISION = ("float32", "float64")
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")


def gradient_of(variable: Any, capture: Capture | None, dialect: Dialect) -> tuple[Gradient, bytes | None]:
    """What is known of a variable's gradient in the step that captured ``capture``."""
    if capture is None:
        return dialect.gradient(variable)
    identity = id(variable)
    if identity not in capture.flags or identity in capture.missing:
        return "none", None
    if identity in capture.gradients:
        known = dialect.state_of_gradient(capture.gradients[identity])
        if known != "unknown":
            return known, None
    known, content = dialect.gradient(variable)
    if known == "unknown":
        return _remembered(capture.optimizers[identity](), variable, dialect), None
    return known, content


def settle_gradients(entry: NamedVariable, holding: Holding, source: Source, models: Models, dialect: Dialect) -> None:
    """Say of the checks at which nothing was known what the whole run says of them.

    Before its first step an optimizer has no moments; one that never had any says so of all steps, and so does one
    whose moments came back from a loop of the script's own. One that keeps none
    says nothing, but a gradient that is not zero moves bits of full precision, unless it is lost in rounding; for
    narrow types ``update_ulp`` becomes what a gradient of 1 would do.
    """
    seen, capture = holding.gradients, source.capture
    if capture is None or not seen.get("unknown") or seen.get("nonzero"):
        return
    optimizer = _optimizer_of(entry, capture)
    if optimizer is None:
        return
    settled = (bool(seen.get("zero")) or source.hands_back) and _remembered(
        optimizer, entry.variable, dialect
    ) == "zero"
    never_came_back = source.hands_back and not has_applied(optimizer, dialect)
    if (
        not seen.get("zero")
        and holding.max_lr
        and (never_came_back or is_plain_descent(optimizer, entry.variable, dialect))
    ):
        held = partial(Held, optimizer=holding.optimizer, tensors=(entry.row.id,), gradient_inferred=True)
        settled = entry.row.dtype in FULL_PRECISION
        if not settled and not never_came_back:
            bound, passed = in_units(entry, holding.max_lr), lies_on_the_way(entry, models)
            models.tell(held(update_ulp=bound, gradient_inferred_from_neighbours=passed))
        else:
            models.tell(held())
    if settled:
        counts = {kind: count for kind, count in seen.items() if kind != "unknown"}
        counts["zero"] = counts.get("zero", 0) + seen["unknown"]
        models.tell(Held(optimizer=holding.optimizer, tensors=(entry.row.id,), gradients=counts))


def is_unassigned(entry: NamedVariable, holding: Holding, source: Source, models: Models, dialect: Dialect) -> bool:
    """Whether the new values that a step computed never came into the variable.

    That shows where the optimizer's own variables came back and say that the tensor had a gradient; of one that keeps
    nothing or did not come back, as many a loop leaves it, where none of what it was built for moved.
    """
    optimizer = _optimizer_of(entry, source.capture)
    if not source.is_handed_state or optimizer is None or entry.row.changed.verdict != "no":
        return False
    if has_applied(optimizer, dialect) and dialect.optimizers.slots(optimizer, entry.variable):
        alive = _remembered(optimizer, entry.variable, dialect) == "nonzero"
        lost = holding.update_ulp is not None and holding.update_ulp <= HALF_UNIT
        return alive and entry.row.dtype in FULL_PRECISION and not lost
    return source.hands_back and not any(
        other.row.changed.verdict == "yes" and _optimizer_of(other, source.capture) is optimizer
        for other in models.tensors
    )


def _optimizer_of(entry: NamedVariable, capture: Capture | None) -> Any:
    reference = capture.optimizers.get(id(entry.variable)) if capture is not None else None
    return reference() if reference is not None else None


def lies_on_the_way(entry: NamedVariable, models: Models, place: Place | None = None) -> bool:
    """Whether layers in front of its own, in a row or graph of layers, moved, by gradients that came through it.

    Args:
        tensor: of which that is asked.
        models: where the others are.
        place: where they must have moved; anywhere, if left out.
    """
    ahead = before(entry.chain, [known.model for known in models.known if known.model is not None])
    return any(
        other.row.kind == "parameter"
        and other.row.changed.verdict == "yes"
        and (place is None or any(move.place == place for move in other.row.changed.movements))
        and any(id(layer) in ahead for layer in other.chain)
        for other in models.tensors
    )


def _remembered(optimizer: Any, variable: Any, dialect: Dialect) -> Gradient:
    """What the moments of the optimizer say of all gradients so far, of a variable that it trains at this moment."""
    if optimizer is None or not has_applied(optimizer, dialect) or not dialect.optimizers.slots(optimizer, variable):
        return "unknown"
    alive = carries(optimizer, variable, dialect)
    if alive is False:
        return "zero"
    return "nonzero" if alive and getattr(variable, "trainable", False) else "unknown"


def sibling_moved(entry: NamedVariable, models: Models) -> bool:
    """Whether a layer of the same type beside the tensor's, an expert or head of many, was trained in its stead."""
    owner, name = entry.row.owner, entry.row.name.rpartition(".")[2]
    around = owner.path.rpartition(".")[0]
    return any(
        other.row.changed.verdict == "yes"
        and other.row.owner.type == owner.type
        and other.row.owner.path != owner.path
        and other.row.owner.path.rpartition(".")[0] == around
        and not _have_roles_of_their_own(entry.chain, other.chain)
        for other in alike(entry, models)
        if other.row.model == entry.row.model and other.row.name.rpartition(".")[2] == name
    )


def _have_roles_of_their_own(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether the layer around two others calls them by different names, and not by numbers: no two experts of many."""
    if len(one) < 2 or len(other) < 2 or one[-2] is not other[-2]:
        return False
    attributes = vars(one[-2])
    attributes = attributes | attributes.get("_modules", {})  # where torch keeps the layers that Keras makes modules
    names = {id(value): name for name, value in attributes.items() if value is one[-1] or value is other[-1]}
    roles = {name.translate(_WITHOUT_DIGITS) for name in names.values()}
    return len(names) == 2 and len(roles) == 2


def named_copy(
    entry: NamedVariable, content: bytes, sources: Iterable[Source], models: Models, dialect: Dialect
) -> str | None:
    """The average or other tensor that holds exactly ``content``."""
    for source in sources:
        for optimizer in source.optimizers():
            for variable, average in dialect.optimizers.averages(optimizer):
                of = models.of(variable)
                if of is not None and of.row.shape == entry.row.shape and _equals(average, content, dialect):
                    return f"the average of {of.row.name} that {source.key} keeps"
    for other in alike(entry, models):
        if other.variable is not None and _equals(other.variable, content, dialect):
            return other.row.name
    return None


def _equals(variable: Any, content: bytes, dialect: Dialect) -> bool:
    try:
        return bytes(dialect.read(variable)) == content
    except Unreadable:
        return False


def alike(entry: NamedVariable, models: Models) -> list[NamedVariable]:
    """Other tensors of the same shape and type, those of the same name in their layer first."""
    own = entry.row.name.rpartition(".")[2]
    found = [
        other
        for other in models.tensors
        if other is not entry and other.row.shape == entry.row.shape and other.row.dtype == entry.row.dtype
    ]
    return sorted(found, key=lambda other: other.row.name.rpartition(".")[2] == own, reverse=True)
