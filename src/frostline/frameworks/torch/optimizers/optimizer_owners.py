"""The models around the tensors that an optimizer holds, and the tensors that belong to none."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch

from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.models.models import Models
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.tensors import zero_state
from frostline.observe.schedule import due
from frostline.observe.variable_names import variable_names


class Owners:
    """Sees to it that every tensor of an optimizer belongs to a known model, or is known as a tensor of its own.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self._sizes: weakref.WeakKeyDictionary[torch.optim.Optimizer, int] = weakref.WeakKeyDictionary()
        self._looked_for: dict[int, weakref.ref[Any]] = {}
        self._of_masters: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()

    def meet(self, optimizer: torch.optim.Optimizer) -> None:
        """Take what the optimizer holds under observation, where that is new; call it with our own modes aside."""
        size = sum(len(group["params"]) for group in optimizer.param_groups)
        if optimizer in self._of_masters:
            return
        if self._sizes.get(optimizer) == size and not due(self.models.observer.steps + 1):
            return
        self._sizes[optimizer] = size
        strange = [tensor for tensor in held(optimizer) if self.models.of(tensor) is None and self.first_time(tensor)]
        if strange:
            with self.models.observer.aside():
                self._find(strange, optimizer)

    def keep_masters(self, optimizer: torch.optim.Optimizer) -> None:
        """What this optimizer holds are copies of a model's parameters, and no tensors of their own."""
        self._of_masters.add(optimizer)

    def first_time(self, value: Any) -> bool:
        """Whether this object was never looked for before; ids of freed objects do not count."""
        known = self._looked_for.get(id(value))
        if known is not None and known() is value:
            return False
        self._looked_for[id(value)] = weakref.ref(value)
        return True

    def foreign_shapes(self, optimizers: Iterable[torch.optim.Optimizer]) -> list[tuple[int, ...]]:
        """The shapes of what these optimizers hold and no model has."""
        tensors = [tensor for each in optimizers if each not in self._of_masters for tensor in held(each)]
        return [
            tuple(tensor.shape)
            for tensor in tensors
            if self.models.of(tensor) is None and not torch.nn.parameter.is_lazy(tensor)
        ]

    def _find(self, strange: list[torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
        self.models.add(modules.roots_of(modules.modules_holding(strange)))
        self.models.refresh()
        loose = [each for each in strange if self.models.of(each) is None and not torch.nn.parameter.is_lazy(each)]
        names = variable_names({id(tensor) for tensor in loose}, skip=("torch",))
        used = [tensor for tensor in loose if id(tensor) in names or tensor.grad is not None or not self.models.tensors]
        if used and not self._former(used, len(loose) - len(used), optimizer):
            self.models.add_tensors(used, names)

    def _former(self, loose: list[torch.Tensor], nameless: int, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the tensors are former ones of a model: nothing reaches them, while their likes get gradients.

        So they are where others beside them have not even a name: a variable of some loop is left on one of them.
        """
        if any(tensor.grad is not None for tensor in loose):
            return False
        if nameless and self.models.tensors:
            return True
        own = {id(tensor) for tensor in held(optimizer)}
        reached = {
            tuple(tensor.shape)
            for entry in self.models.tensors
            if entry.row.kind == "parameter" and (tensor := entry.tensor) is not None
            if id(tensor) not in own and zero_state(tensor.grad) == "nonzero"
        }
        return all(tuple(tensor.shape) in reached for tensor in loose)
