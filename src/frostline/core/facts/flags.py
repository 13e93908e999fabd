"""Facts about flags: what is declared, when that changed, and what surrounds it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from frostline.core.events.fact import Fact
from frostline.core.facts.tensors import Tensors


class FlagDeclared(Fact, frozen=True):
    """The flag of a tensor when it was found, or (``again``) when it was set again before any training."""

    tensor: int
    flag: bool | None
    again: bool = False


class FlagFlipped(Fact, frozen=True):
    """The flag was found changed just before global step ``step``, which ``optimizer`` makes (or at the end)."""

    step: int
    tensor: int
    flag: bool | None
    optimizer: str


class FlagHeld(Fact, frozen=True):
    """These tensors had this flag for ``steps`` further steps."""

    tensors: Tensors
    flag: bool | None
    steps: int


class FlagSeen(Fact, frozen=True):
    """What surrounds the flag of some tensors: the mode of their module, a container whose own flag differs."""

    tensors: Tensors
    training: bool | UnsetType = UNSET
    container: str | UnsetType = UNSET
    container_flag: bool | UnsetType = UNSET


class BufferFrozen(Fact, frozen=True):
    """A buffer's module is frozen as a whole below ``subtree`` (None: it is not); ``flipped`` after a first check."""

    tensor: int
    subtree: str | None
    flipped: bool = False


class FlagRequested(Fact, frozen=True):
    """An explicit call on a module set the flag of a tied tensor under this name."""

    tensor: int
    name: str
    flag: bool


class AliasFlagged(Fact, frozen=True):
    """Another tensor object on the same storage has another flag."""

    tensor: int
    alias: str
    flag: bool
