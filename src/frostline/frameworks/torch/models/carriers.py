"""Which tensor objects carry the tensors under observation: one each, but for a flat parameter, which carries many.

Writes to flags are seen where they are made, so that a step costs the same whatever the number of tensors. A write that
passes by Python (an extension in C++ can make one) is seen when the turn comes to its tensor, or at the next check.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable
from typing import Any

import torch
from torch import nn

from frostline.frameworks.torch.tensors.shards import Shard, is_flat
from frostline.frameworks.torch.tensors.tensors import NamedTensor

Reference = weakref.ref[torch.Tensor]

_flag = torch.Tensor.requires_grad.__get__  # type: ignore[attr-defined]  # of C, whatever ``Parameter`` has in its place

AT_A_STEP = 64  # flags read before a step where nothing was written: about 5 µs


class Carriers:
    """Finds tensors under observation by the object that carries them now, and reads the flags of those."""

    def __init__(self) -> None:
        self.flags = FlagPolling()
        self._by_id: dict[int, NamedTensor] = {}
        self._in_flat: dict[int, dict[int, NamedTensor]] = {}  # by id of a flat parameter, by place in it

    def enter(self, entry: NamedTensor, tensor: torch.Tensor) -> None:
        """From now on ``tensor`` carries ``entry``."""
        self.flags.enter(entry, tensor)
        if entry.shard is not None and is_flat(tensor):
            self._in_flat.setdefault(id(tensor), {})[entry.shard.index] = entry
        else:
            self._by_id[id(tensor)] = entry

    def find(self, tensor: torch.Tensor, shard: Shard | None) -> NamedTensor | None:
        """What ``tensor`` carries now, in the place of ``shard`` where it carries many."""
        if shard is None or not is_flat(tensor):
            return self.of(tensor)
        entry = self._in_flat.get(id(tensor), {}).get(shard.index)
        return entry if entry is not None and entry.tensor is tensor else None

    def of(self, tensor: Any) -> NamedTensor | None:
        """What this very tensor carries now; of many, the first."""
        entry = self._by_id.get(id(tensor))
        if entry is not None:
            return entry if entry.tensor is tensor else None
        return next(iter(self.all_of(tensor)), None)

    def all_of(self, tensor: Any) -> list[NamedTensor]:
        """All that this very tensor carries now."""
        entry = self._by_id.get(id(tensor))
        carried: Iterable[NamedTensor] = (entry,) if entry is not None else self._in_flat.get(id(tensor), {}).values()
        return [each for each in carried if each.tensor is tensor]


def keys_of(tensors: Iterable[NamedTensor]) -> dict[int, list[Hashable]]:
    """The keys of what each tensor object carries now, by its id."""
    keys: dict[int, list[Hashable]] = {}
    for entry in tensors:
        if (tensor := entry.tensor) is not None:
            keys.setdefault(id(tensor), []).append(entry.key)
    return keys


class FlagPolling:
    """Reads the flags of tensors, in the order in which they were entered."""

    def __init__(self) -> None:
        self.written = True  # whether a flag may have been, since all were read
        self._entries: dict[Hashable, NamedTensor] = {}
        self._references: dict[Hashable, Reference | None] = {}  # None for buffers, which have no flag
        self._parts: list[tuple[list[Reference], list[bool | None]]] = []  # one is read before a step, in turns
        self._next = 0

    def enter(self, entry: NamedTensor, tensor: torch.Tensor) -> None:
        """From now on ``tensor`` has the flag of this entry."""
        self._entries[entry.key] = entry
        self._references[entry.key] = weakref.ref(tensor) if entry.row.kind == "parameter" else None
        self.written = True

    def read(self) -> list[bool | None]:
        """All flags; of a tensor that was freed, the last."""
        try:
            flags = [None if each is None else _flag(each()) for each in self._references.values()]
        except TypeError:  # one of the tensors was freed
            flags = [each.flag() if each.row.kind == "parameter" else None for each in self._entries.values()]
        self.written, self._next, self._parts = False, 0, self._in_parts(flags)
        return flags

    def may_differ(self) -> bool:
        """Whether a flag may be another than when all were read; looks at some."""
        if self.written or not self._parts:
            return self.written
        tensors, flags = self._parts[self._next]
        self._next = (self._next + 1) % len(self._parts)
        try:
            return [_flag(each()) for each in tensors] != flags
        except TypeError:  # one of the tensors was freed
            return True

    def _in_parts(self, flags: Iterable[bool | None]) -> list[tuple[list[Reference], list[bool | None]]]:
        told: list[tuple[Reference, bool | None]] = []  # parameters, the writes to which are told of
        others: list[tuple[Reference, bool | None]] = []  # plain tensors, those in pieces: in every part
        for reference, flag in zip(self._references.values(), flags, strict=True):
            if reference is not None and (tensor := reference()) is not None:
                (told if issubclass(type(tensor), nn.Parameter) else others).append((reference, flag))
        starts = range(0, max(1, len(told)), AT_A_STEP)
        parts = ([*others, *told[start : start + AT_A_STEP]] for start in starts)
        return [([each for each, _ in part], [flag for _, flag in part]) for part in parts if part]
