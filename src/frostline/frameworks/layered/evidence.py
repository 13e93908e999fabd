"""What a Keras lets one conclude about gradients and copies, from what a step was given and what optimizers keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from frostline.core.ledger import Gradient, Wire
from frostline.frameworks.layered.dialect import Dialect
from frostline.frameworks.layered.leaf import KerasLeaf
from frostline.frameworks.layered.models import Models
from frostline.frameworks.layered.sources import Capture, Source, carries
from frostline.observe.live import Unreadable


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
    if known == "unknown" and _never_had_gradient(capture.optimizers[identity](), variable, dialect):
        return "zero", None
    return known, content


def settle_gradients(leaf: KerasLeaf, wire: Wire, capture: Capture | None, dialect: Dialect) -> None:
    """Before its first step an optimizer says nothing of gradients; one that never had any says so of all steps."""
    seen = wire.gradients
    if capture is None or not seen.get("zero") or not seen.get("unknown") or seen.get("nonzero"):
        return
    reference = capture.optimizers.get(id(leaf.variable))
    if reference is not None and _never_had_gradient(reference(), leaf.variable, dialect):
        seen["zero"] += seen.pop("unknown")


def _never_had_gradient(optimizer: Any, variable: Any, dialect: Dialect) -> bool:
    """Moments of the gradient that are still zero after a step say that every gradient was."""
    if optimizer is None or not dialect.iterations(optimizer) or not dialect.slots(optimizer, variable):
        return False
    return carries(optimizer, variable, dialect) is False


def sibling_moved(leaf: KerasLeaf, models: Models) -> bool:
    """Whether a layer of the same type beside the leaf's, an expert or head of many, was trained in its stead."""
    owner, name = leaf.row.owner, leaf.row.name.rpartition(".")[2]
    around = owner.path.rpartition(".")[0]
    return any(
        other.row.changed.verdict == "yes"
        and other.row.owner.type == owner.type
        and other.row.owner.path != owner.path
        and other.row.owner.path.rpartition(".")[0] == around
        for other in alike(leaf, models)
        if other.row.model == leaf.row.model and other.row.name.rpartition(".")[2] == name
    )


def named_copy(
    leaf: KerasLeaf, content: bytes, sources: Iterable[Source], models: Models, dialect: Dialect
) -> str | None:
    """The average or other leaf that holds exactly ``content``."""
    for source in sources:
        for optimizer in source.optimizers():
            for variable, average in dialect.averages(optimizer):
                of = models.of(variable)
                if of is not None and of.row.shape == leaf.row.shape and _equals(average, content, dialect):
                    return f"the average of {of.row.name} that {source.key} keeps"
    for other in alike(leaf, models):
        if other.variable is not None and _equals(other.variable, content, dialect):
            return other.row.name
    return None


def _equals(variable: Any, content: bytes, dialect: Dialect) -> bool:
    try:
        return bytes(dialect.read(variable)) == content
    except Unreadable:
        return False


def alike(leaf: KerasLeaf, models: Models) -> list[KerasLeaf]:
    """Other leaves of the same shape and type, those of the same name in their layer first."""
    own = leaf.row.name.rpartition(".")[2]
    found = [
        other
        for other in models.leaves
        if other is not leaf and other.row.shape == leaf.row.shape and other.row.dtype == leaf.row.dtype
    ]
    return sorted(found, key=lambda other: other.row.name.rpartition(".")[2] == own, reverse=True)
