"""Outputs that go on without their graph: what a module returned comes into the next one without a gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from frostline.core.facts import Fact, ModuleSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.tensors.tensors import shape_of


class DetachedOutputs:
    """Follows the data of outputs, by their address, into the inputs of other modules.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen,)

    def __init__(self, context: Context) -> None:
        self._passes, self._signals = context.forwards, context.signals
        self._detached: set[int] = set()
        self._outputs: dict[int, list[tuple[nn.Module, StorageWeakRef]]] = {}  # by address of the data
        self._left: list[tuple[nn.Module, set[tuple[int, ...]]]] = []  # modules left since the last one was entered
        self._given: set[int] = set()  # addresses that came in during this pass

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.pass_began.append(lambda _: self._forget())
        self._signals.module_entered.append(self._entered)
        self._signals.module_left.append(self._leave)
        self._signals.pass_ended.append(self._forget)
        self._signals.finished.append(self._finish)
        return []

    def _forget(self) -> None:
        """Keep nothing of the last pass: a module that the script drops must be gone."""
        self._outputs.clear()
        self._left.clear()
        self._given.clear()

    def _entered(self, module: nn.Module, given: list[torch.Tensor]) -> None:
        for tensor in given:
            for producer, storage in self._outputs.get(tensor.data_ptr(), ()):
                freed = storage.expired()  # type: ignore[no-untyped-call]  # then the address went to other data
                if not tensor.requires_grad and not freed:
                    self._note(producer)
        self._note_copied(module, given)

    def _note_copied(self, module: nn.Module, given: list[torch.Tensor]) -> None:
        """Where values went by way of numpy or a copy, new memory of the same shape comes in without a gradient."""
        if self._left and torch.is_grad_enabled() and modules.has_parameters(module):
            new = [tensor for tensor in given if tensor.data_ptr() not in self._given]
            shapes = {shape_of(tensor) for tensor in new if not tensor.requires_grad}
            for producer, returned in self._left if len(new) == 1 else ():
                if shapes & returned:
                    self._note(producer)
        self._left.clear()
        self._given.update(tensor.data_ptr() for tensor in given)

    def _note(self, producer: nn.Module) -> None:
        self._detached.update(id(inner) for inner in producer.modules())

    def _leave(self, module: nn.Module, _: Any, returned: list[torch.Tensor]) -> None:
        self._left.append((module, {shape_of(tensor) for tensor in returned if tensor.grad_fn is not None}))
        for tensor in returned:
            if tensor.requires_grad:
                storage = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
                self._outputs.setdefault(tensor.data_ptr(), []).append((module, storage))

    def _finish(self) -> None:
        self._passes.tell_modules(lambda _, module: {"detached": id(module) in self._detached})
