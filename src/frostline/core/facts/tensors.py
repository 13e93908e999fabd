"""Facts about tensors: which there are, what each is, and the module or layer that holds it."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import UNSET, UnsetType

from frostline.core.columns.part import Part
from frostline.core.columns.saved import Saved
from frostline.core.events.fact import Fact
from frostline.core.ledger import Kind, Role

Tensors: TypeAlias = tuple[int, ...]


class TensorFound(Fact, frozen=True):
    """A tensor was taken under observation: its first name, what it is, and the module or layer that holds it."""

    tensor: int
    framework: str
    name: str
    model: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    size: int
    owner: str = ""
    owner_type: str = ""
    role: Role = "other"
    registered: bool = True
    sharded: bool | None = None
    part: Part | None = None
    shared: bool | None = None
    as_buffer: bool | None = None
    gone: bool | None = None
    loaded: bool | None = None


class TensorSeen(Fact, frozen=True):
    """Something about a tensor is so now: its names, its size, whether it is still there, what a pass did with it."""

    tensor: int
    name: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    shape: tuple[int, ...] | UnsetType = UNSET
    dtype: str | UnsetType = UNSET
    bytes: int | UnsetType = UNSET
    size: int | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET
    overlaps: list[str] | UnsetType = UNSET
    sharded: bool | UnsetType = UNSET
    part: Part | UnsetType | None = UNSET
    shared: bool | UnsetType = UNSET
    gone: bool | UnsetType = UNSET
    read: bool | UnsetType | None = UNSET
    zeros: bool | UnsetType | None = UNSET
    cleared: bool | UnsetType = UNSET
    loaded: bool | UnsetType = UNSET
    copied_at: int | UnsetType = UNSET
    replaced_at: int | UnsetType | None = UNSET
    reached_by_backward: bool | UnsetType = UNSET


class TensorsDropped(Fact, frozen=True):
    """These tensors turned out to be of no training, such as those of a model that was gone before the first step."""

    tensors: Tensors


class ModuleSeen(Fact, frozen=True):
    """What was seen of the calls of the module or layer that holds some tensors, and of their first values."""

    tensors: Tensors
    path: str | UnsetType = UNSET
    called: bool | UnsetType = UNSET
    recorded: bool | UnsetType = UNSET
    detached: bool | UnsetType = UNSET
    output_got_gradient: bool | UnsetType = UNSET
    dropped: bool | UnsetType = UNSET
    sibling_called: bool | UnsetType | None = UNSET
    in_training: bool | UnsetType | None = UNSET
    rewrites_in_forward: bool | UnsetType = UNSET
    default_initialised: bool | UnsetType | None = UNSET


class SavedSettled(Fact, frozen=True):
    """What files hold of a tensor, now that the run is over."""

    tensor: int
    saved: Saved
