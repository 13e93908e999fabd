"""Models that are converted to a type of fewer digits and back, for an evaluation, say: that rounds every weight."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Any

import torch
from torch import nn

from frostline.core.ledger import CONVERTED
from frostline.digest.floats import FLOATS
from frostline.frameworks.torch_probe.leaf import TorchLeaf
from frostline.frameworks.torch_probe.models import Models
from frostline.observe.schedule import due

CONVERTERS = {
    "half": torch.float16,
    "bfloat16": torch.bfloat16,
    "float": torch.float32,
    "double": torch.float64,
    "to": None,
}


def target(method: str, args: Any, kwargs: Any) -> torch.dtype | None:
    """The type that a call of one of the converters asks for; None where it asks for none."""
    dtype = torch._C._nn._parse_to(*args, **kwargs)[1] if method == "to" else CONVERTERS[method]
    return dtype if _name(dtype) in FLOATS else None


class Conversions:
    """Brackets the way there and back: what moved in it was rounded, at the 1st, 2nd, 4th, … time of each module.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self._counts: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self._away: weakref.WeakKeyDictionary[nn.Module, list[Hashable]] = weakref.WeakKeyDictionary()

    def before(self, module: nn.Module, dtype: torch.dtype) -> None:
        """A conversion is about to begin: what moved until now is none of its doing."""
        leaves = [leaf for leaf in self.models.below(module) if _digits(dtype) < _digits_of(leaf)]
        if module in self._away or not leaves:
            return
        self._counts[module] = self._counts.get(module, 0) + 1
        if due(self._counts[module]):
            keys = [leaf.key for leaf in leaves if self.models.observer.leaves[leaf.key].frozen]
            self.models.observer.look_now(keys, self.models.observer.place_now())
            self._away[module] = keys

    def after(self, module: nn.Module, dtype: torch.dtype) -> None:
        """A conversion is over; where it led back, what moved since it was begun was rounded."""
        known = {leaf.key: leaf for leaf in self.models.leaves} if module in self._away else {}
        if not all(_digits(dtype) >= _digits_of(known[key]) for key in self._away.get(module, ())):
            return
        keys = self._away.pop(module, [])
        if keys:
            self.models.refresh()  # a buffer is another tensor now
            self.models.observer.look_now(keys, "outside", CONVERTED)


def _name(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")


def _digits(dtype: torch.dtype) -> int:
    return FLOATS[_name(dtype)].fraction


def _digits_of(leaf: TorchLeaf) -> int:
    """Binary digits of the leaf's own type; none for whole numbers, which such conversions leave alone."""
    return FLOATS[leaf.row.dtype].fraction if leaf.row.dtype in FLOATS else 0
