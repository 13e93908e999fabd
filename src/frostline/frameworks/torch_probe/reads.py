"""Which parameters a forward pass takes from their modules: one that is never taken was not used, not cut off."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from frostline.frameworks.patching import put


class Reads:
    """Listens, for the time of a pass, to what the passes' code takes out of modules by name."""

    def __init__(self) -> None:
        self._taken: dict[int, weakref.ref[torch.Tensor]] = {}
        self._stop: Callable[[], None] | None = None

    def begin(self) -> None:
        """An outermost pass begins."""
        self.end()
        original = nn.Module.__getattr__

        def taken(module: nn.Module, name: str) -> Any:
            value = original(module, name)
            if isinstance(value, nn.Parameter) and id(value) not in self._taken:
                self._taken[id(value)] = weakref.ref(value)
            return value

        self._stop = put(nn.Module, "__getattr__", taken)

    def end(self) -> None:
        """The pass is over."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def of(self, tensor: torch.Tensor | None) -> bool | None:
        """Whether this tensor was taken in a pass; None where nothing was heard of any."""
        if tensor is None or not self._taken:
            return None
        reference = self._taken.get(id(tensor))
        return reference is not None and reference() is tensor
