"""Which modules are called, whether gradients are recorded in them, and in which mode they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, FlagSeen, ModuleSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.models.sibling_modules import CalledSiblings
from frostline.frameworks.torch.tensors.tensors import NamedTensor


class ModuleCalls:
    """Notes every call of a module in the passes that are watched.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen, FlagSeen)

    def __init__(self, context: Context) -> None:
        self._models, self._passes, self._signals = context.models, context.forwards, context.signals
        self._in_training: set[int] = set()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.module_entered.append(self._entered)
        self._signals.finished.append(self._finish)
        return []

    def _entered(self, module: nn.Module, _: list[torch.Tensor]) -> None:
        self._passes.called.add(id(module))
        if torch.is_grad_enabled():
            self._passes.recorded.add(id(module))
        if module.training:
            self._in_training.add(id(module))

    def _finish(self) -> None:
        for entry in self._models.tensors:
            if (module := entry.module) is not None:
                self._models.tell_mode(entry, module.training)
        siblings = CalledSiblings(self._models, self._passes.called)

        def say(entry: NamedTensor, module: nn.Module) -> dict[str, Any]:
            called = id(module) in self._passes.called
            return {
                "called": called,
                "recorded": id(module) in self._passes.recorded,
                "in_training": id(module) in self._in_training if called else None,
                "sibling_called": siblings.of(entry),
            }

        self._passes.tell_modules(say)
