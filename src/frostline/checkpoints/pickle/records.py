"""The inert records that a pickle becomes; never hashed or compared, so that no stream can choose colliding keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """Something the file names: a class, a function, an element type."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Pairs:
    """A dict, as the pairs that were put into it."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Call:
    """An object that unpickling would have made by calling ``function``, and what would have been put into it."""

    function: Global
    args: Any
    state: Any = None
    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Persistent:
    """A reference to something outside the stream, for torch a storage."""

    id: Any


@dataclass(slots=True, eq=False)
class Items:
    """A set, frozenset or list that is under construction or complete."""

    items: list[Any] = field(default_factory=list)
