"""Which tensor objects carry the tensors under observation: one each, but for a flat parameter, which carries many."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import torch

from frostline.frameworks.torch.models.flag_polling import FlagPolling
from frostline.frameworks.torch.tensors.shards import Shard, is_flat
from frostline.frameworks.torch.tensors.tensors import NamedTensor


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
