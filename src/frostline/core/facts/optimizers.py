"""Facts about optimizers: which there are, what they hold, and the gradients they found."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from frostline.core.events.fact import Fact
from frostline.core.facts.tensors import Tensors
from frostline.core.ledger import Gradient


class OptimizerFound(Fact, frozen=True):
    """An optimizer, a compiled train step, or a script that updates weights itself (``by_hand``)."""

    optimizer: str
    kind: str
    name: str
    by_hand: bool = False


class OptimizerSeen(Fact, frozen=True):
    """Something about an optimizer is so now: how often it stepped, what it holds, its groups and rates."""

    optimizer: str
    name: str | UnsetType = UNSET
    steps_executed: int | UnsetType = UNSET
    steps_skipped: int | UnsetType = UNSET
    steps_beside: int | UnsetType = UNSET
    last_step: int | UnsetType = UNSET
    backwards: int | UnsetType = UNSET
    merged: int | UnsetType = UNSET
    groups: list[dict[str, Any]] | UnsetType = UNSET
    holds: int | UnsetType = UNSET
    foreign_shapes: list[tuple[int, ...]] | UnsetType = UNSET
    models: list[str] | UnsetType = UNSET
    trains_model: str | UnsetType | None = UNSET
    captured_at: int | UnsetType | None = UNSET
    no_gradient_at_last_check: bool | UnsetType = UNSET
    stateless: bool | UnsetType = UNSET
    loss_scaled: bool | UnsetType = UNSET
    gradients_unscaled: bool | UnsetType = UNSET
    moved_share: float | UnsetType = UNSET


class OptimizerChecked(Fact, frozen=True):
    """A step of an optimizer was a check: its own step ``executed``, after ``step`` steps of all.

    ``lr`` is the largest learning rate of what it held in that step.
    """

    optimizer: str
    executed: int
    step: int
    lr: float | None = None


class OptimizerDropped(Fact, frozen=True):
    """What looked like updates by the script was none: nothing moved after its backward passes."""

    optimizer: str


class Held(Fact, frozen=True):
    """How an optimizer holds some tensors: their group and its rates, state, and what its steps can have done."""

    optimizer: str
    tensors: Tensors
    group: int | UnsetType | None = UNSET
    listed: bool | UnsetType = UNSET
    captured: bool | UnsetType | None = UNSET
    lr: float | UnsetType | None = UNSET
    max_lr: float | UnsetType | None = UNSET
    weight_decay: float | UnsetType | None = UNSET
    state: bool | UnsetType | None = UNSET
    state_of: str | UnsetType | None = UNSET
    steps: int | UnsetType = UNSET
    gradients: dict[str, int] | UnsetType = UNSET
    update_ulp: float | UnsetType | None = UNSET
    negligible: bool | UnsetType | None = UNSET
    first_gradient: str | UnsetType = UNSET
    gradient_inferred: bool | UnsetType = UNSET
    gradient_inferred_from_neighbours: bool | UnsetType = UNSET
    unassigned: bool | UnsetType = UNSET


class HeldByAlias(Fact, frozen=True):
    """Optimizers that hold ``other``, a tensor on the same storage, hold this one too."""

    tensor: int
    other: int


class GradientsSeen(Fact, frozen=True):
    """The gradients that lay ready for a step, by what they were; of tensors that no optimizer holds without one."""

    gradient: Gradient
    tensors: Tensors
    optimizer: str | None = None
