"""Loads of state into a model: who wrote, and whether the source was another model of the process."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Any

import torch
from torch import nn

from frostline.core.facts import Followed, TensorSeen
from frostline.core.ledger import LOADED
from frostline.frameworks.torch_probe.loaded_files import LoadedFiles
from frostline.frameworks.torch_probe.models import Models
from frostline.observe.live import LiveLeaf
from frostline.observe.schedule import due


class Loads:
    """Brackets ``load_state_dict``: what moved in it was loaded, at the 1st, 2nd, 4th, … load of each module.

    Args:
        models: the models under observation.
        files: what the script has read so far.
    """

    def __init__(self, models: Models, files: LoadedFiles) -> None:
        self.models = models
        self.files = files
        self._counts: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()

    def before(self, module: nn.Module) -> None:
        """State is about to be loaded: what moved until now was not the load."""
        self._counts[module] = self._counts.get(module, 0) + 1
        if due(self._counts[module]):
            observer, keys = self.models.observer, self._keys_below(module)
            observer.look_now(keys, observer.place_now())
            observer.keep_frozen(keys, True)

    def after(self, module: nn.Module, source: Any) -> None:
        """State was loaded: what moved came from ``source``, which may be another model's own tensors."""
        self.models.loaded(_named_in(source, module))
        if not due(self._counts.get(module, 0)):
            return
        observer, keys = self.models.observer, self._keys_below(module)
        for watched in observer.look_now(keys, "outside", LOADED):
            moves = watched.row.changed.movements
            named = moves[-1].follows if moves else None
            followed = self._leaf_sharing(watched.leaf, source) or named
            if followed != watched.row.changed.followed:
                observer.tell(Followed(tensor=watched.row.id, source=followed))
        observer.keep_frozen(keys, False)
        for key in keys:
            if not observer.leaves[key].row.loaded:
                observer.tell(TensorSeen(tensor=observer.leaves[key].row.id, loaded=True))
        self.files.compare(keys)

    def _keys_below(self, module: nn.Module) -> list[Hashable]:
        return [leaf.key for leaf in self.models.below(module)]

    def _leaf_sharing(self, leaf: LiveLeaf, source: Any) -> str | None:
        """The leaf of another model whose live tensor the loaded dictionary handed over for ``leaf``."""
        values = source.values() if hasattr(source, "values") else ()
        places = {place for value in values if (place := _place(value)) is not None}
        for other in self.models.leaves:
            if other is not leaf and other.row.shape == leaf.row.shape and _place(other.tensor) in places:
                return other.row.name
        return None


def _named_in(source: Any, module: nn.Module) -> list[torch.Tensor]:
    """The module's tensors that the loaded dictionary has."""
    named = (*module.named_parameters(), *module.named_buffers())
    return [tensor for name, tensor in named if not hasattr(source, "keys") or name in source]


def _place(tensor: Any) -> int | None:
    """The address of a dense tensor's data, or None."""
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return None
    return tensor.data_ptr()
