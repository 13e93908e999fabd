"""Which parameters a forward pass takes from their modules: one that is never taken was not used, not cut off."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, TensorSeen
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context


class ParameterReads:
    """Listens, for the time of a pass, to what the passes' code takes out of modules by name.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorSeen,)

    def __init__(self, context: Context) -> None:
        self._models, self._passes, self._signals = context.models, context.forwards, context.signals
        self._taken: dict[int, weakref.ref[torch.Tensor]] = {}
        self._stop: Callable[[], None] | None = None

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.pass_began.append(lambda _: self._begin())
        self._signals.pass_ended.append(self._end)
        self._signals.finished.append(self._finish)
        return []

    def _begin(self) -> None:
        self._end()
        original = nn.Module.__getattr__

        def taken(module: nn.Module, name: str) -> Any:
            value = original(module, name)
            if isinstance(value, nn.Parameter) and id(value) not in self._taken:
                self._taken[id(value)] = weakref.ref(value)
            return value

        self._stop = put(nn.Module, "__getattr__", taken)

    def _end(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _finish(self) -> None:
        for entry in self._models.tensors:
            if entry.row.kind == "parameter" and id(entry.module) in self._passes.called:
                read = self._of(entry.tensor) if entry.shard is None else None  # a pass uses the whole in its place
                self._models.tell(TensorSeen(tensor=entry.row.id, read=read))

    def _of(self, tensor: torch.Tensor | None) -> bool | None:
        """Whether this tensor was taken in a pass; None where nothing was heard of any."""
        if tensor is None or not self._taken:
            return None
        reference = self._taken.get(id(tensor))
        return reference is not None and reference() is tensor
