"""Frozen parameters that are exchanged for trainable ones of the same values before the first check.

A conversion, a new layout or an adapter makes them so. Once a model is under observation its tensors tell this
themselves, and the registration only when it was; before that nothing else shows what was there.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from frostline.core.facts import Fact, TensorReplaced
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.tensors.tensors import local, why_unreadable


class ParameterSwaps:
    """Remembers such exchanges until the model that they happened in is found.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorReplaced,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._pending: list[tuple[weakref.ref[torch.Tensor], str]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.refreshed.append(self._settle)
        quietly = self._context.quietly

        def parameter_registered(*told: Any) -> None:
            quietly("a parameter is registered", self._parameter, *told)

        def module_registered(*told: Any) -> None:
            quietly("a module is registered", self._module, *told)

        return [
            register_module_parameter_registration_hook(dynamo_guard.hook(parameter_registered)).remove,
            register_module_module_registration_hook(dynamo_guard.hook(module_registered)).remove,
        ]

    def _parameter(self, module: nn.Module, name: str, new: Any) -> None:
        """Hook: a parameter is about to be registered."""
        old = module._parameters.get(name)
        if old is None or not isinstance(new, nn.Parameter):
            return
        if self._models.knows(module):
            self._models.exchanges.enter(new)
        else:
            self._exchanged([(old, new)], type(module).__name__)

    def _module(self, parent: nn.Module, name: str, new: Any) -> None:
        """Hook: a module is about to be registered."""
        old = parent._modules.get(name)
        if old is None or not isinstance(new, nn.Module):
            return
        if self._models.knows(parent):
            for parameter in new.parameters():
                self._models.exchanges.enter(parameter)
            return
        inner = dict(new.named_parameters())
        pairs = [(parameter, inner[path]) for path, parameter in old.named_parameters() if path in inner]
        self._exchanged(pairs, type(new).__name__)

    def _settle(self) -> None:
        """Tell of those that are tensors by now and whose flag is still on."""
        for reference, kind in self._pending:
            tensor = reference()
            named = self._models.of(tensor)
            if named is not None and tensor is not None and tensor.requires_grad:
                row = named.row
                self._context.tell(
                    TensorReplaced(step=0, tensor=row.id, name=row.name, by=kind, flag_before=False, flag_now=True)
                )
        self._pending = [entry for entry in self._pending if self._models.of(entry[0]()) is None]

    def _exchanged(self, pairs: list[tuple[nn.Parameter, nn.Parameter]], kind: str) -> None:
        """Note the new ones of frozen parameters, where they took over the values; zeros alone prove nothing."""
        frozen = [(old, new) for old, new in pairs if old is not new and not old.requires_grad]
        with torch.no_grad():
            if all(_same_values(old, new) for old, new in frozen) and any(bool(local(old).any()) for old, _ in frozen):
                self._pending.extend((weakref.ref(new), kind) for _, new in frozen)


def _same_values(old: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether the new tensor holds the old one's values; one that was made longer or shorter, as far as both go."""
    if old.dim() != new.dim() or old.shape[1:] != new.shape[1:] or old.device != new.device:
        return False
    if old.dim() == 0 or why_unreadable(old) or why_unreadable(new) or local(old) is not old or local(new) is not new:
        return False
    rows = min(old.shape[0], new.shape[0])
    return torch.equal(old[:rows].to(new.dtype), new[:rows])
