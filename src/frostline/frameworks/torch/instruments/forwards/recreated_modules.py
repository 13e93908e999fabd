"""Modules with weights that are created inside a forward pass, and gone after it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, ModulesRecreated
from frostline.frameworks.torch.context import Context


class RecreatedModules:
    """Counts the passes in which a module was called that no model holds, and that was gone by the next pass.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModulesRecreated,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._strangers: list[tuple[str, weakref.ref[nn.Module]]] = []
        self._passes: dict[str, int] = {}  # by type of module

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.pass_began.append(self._pass_began)
        signals.module_entered.append(self._entered)
        signals.finishing.append(self._finish)
        return []

    def _pass_began(self, _: nn.Module) -> None:
        for kind in {kind for kind, reference in self._strangers if reference() is None}:
            self._passes[kind] = self._passes.get(kind, 0) + 1
        self._strangers.clear()

    def _entered(self, module: nn.Module, _: list[torch.Tensor]) -> None:
        inside = self._context.forwards.depth > 1
        if inside and _has_weights(module) and not self._context.models.knows(module):
            self._strangers.append((type(module).__name__, weakref.ref(module)))

    def _finish(self) -> None:
        for kind, count in self._passes.items():
            self._context.tell(ModulesRecreated(step=self._context.recorder.steps, type=kind, passes=count))


def _has_weights(module: nn.Module) -> bool:
    """Whether the module holds weights of its own; a stand-in for functional passes holds computed tensors."""
    return any(isinstance(weight, nn.Parameter) for weight in module._parameters.values())
