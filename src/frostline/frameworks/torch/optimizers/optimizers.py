"""The torch optimizers of the process as optimizers: their names, what they hold, their rates and their state."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable

import torch

from frostline.core.facts import OptimizerDropped, OptimizerSeen
from frostline.frameworks.claims import claimed
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.models.model import KEPT_ALIVE
from frostline.frameworks.torch.optimizers import optimizer_state
from frostline.frameworks.torch.tensors.tensors import bytes_held, host_bytes
from frostline.observe.observer import Observer
from frostline.observe.variable_names import variable_names

MERGE_ABOVE = 8
IDLE_KEPT = 4


class Optimizers:
    """Every optimizer that was made or has stepped, by the optimizer that it is.

    Args:
        observer: new optimizers are entered there.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.optimizers = observer.optimizers
        self._keys: weakref.WeakKeyDictionary[torch.optim.Optimizer, Hashable] = weakref.WeakKeyDictionary()
        self._made: weakref.WeakKeyDictionary[torch.optim.Optimizer, None] = weakref.WeakKeyDictionary()
        self._idle: list[torch.optim.Optimizer] = []
        self._groups: tuple[tuple[Hashable, int] | None, dict[int, list[tuple[int, int]]]] = (None, {})
        self._largest: tuple[tuple[Hashable, int] | None, float] = (None, 0.0)

    def made(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer was made; it gets a row at its first step, and is kept alive until then where it is small.

        One that never steps would else be gone with the function that made it, and with it what the run was about.
        """
        self._made[optimizer] = None
        if sum(bytes_held(tensor) for tensor in held(optimizer)) <= KEPT_ALIVE:
            self._idle = [*self._idle[1 - IDLE_KEPT :], optimizer]

    def let_go(self) -> None:
        """Keep no optimizer alive any longer."""
        self._idle = []

    def known(self) -> list[torch.optim.Optimizer]:
        """All optimizers that were made or have stepped and that no other probe claims, the oldest first."""
        both = dict.fromkeys([*self._made, *self._keys])
        return [optimizer for optimizer in both if not modules.foreign(optimizer) and not claimed(optimizer)]

    def registered(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the optimizer is an optimizer already."""
        return optimizer in self._keys

    def of(self, optimizer_row: Hashable) -> list[torch.optim.Optimizer]:
        """The optimizers that an optimizer stands for, the oldest first."""
        return [optimizer for optimizer, key in self._keys.items() if key == optimizer_row]

    def key(self, optimizer: torch.optim.Optimizer) -> Hashable:
        """The optimizer of an optimizer, named after the variable that holds it."""
        key = self._keys.get(optimizer)
        if key is None:
            key = self._keys[optimizer] = self._register(optimizer)
            self._idle = [one for one in self._idle if one is not optimizer]
        return key

    def _register(self, optimizer: torch.optim.Optimizer) -> Hashable:
        name = variable_names({id(optimizer)}, skip=("torch",)).get(id(optimizer), "")
        kind = type(optimizer).__name__
        same_kind = [key for key, optimizer_row in self.optimizers.items() if optimizer_row.name.startswith(kind)]
        if len(same_kind) >= MERGE_ABOVE and not name:
            same = self.optimizers[same_kind[0]]
            self.observer.tell(OptimizerSeen(optimizer=same.id, merged=same.merged + 1))
            return same_kind[0]
        return self.observer.tracked.found_optimizer(name or kind, "optimizer", kind).id

    def joined(self, optimizers: list[torch.optim.Optimizer]) -> Hashable:
        """One optimizer for optimizers that step in one call of a compiled function."""
        keys = list(dict.fromkeys(self.key(optimizer) for optimizer in optimizers))
        if len(keys) == 1:
            return keys[0]
        parts = [self.optimizers[key] for key in keys]
        label, kind = " + ".join(part.id for part in parts), " + ".join(part.name for part in parts)
        key = self.observer.tracked.found_optimizer(label, "optimizer", kind).id
        for old, part in zip(keys, parts, strict=True):
            if not part.steps_executed:
                del self.optimizers[old]
                self.observer.tell(OptimizerDropped(optimizer=part.id))
        for optimizer in optimizers:
            self._keys[optimizer] = key
        return key

    def tensors(self, optimizer_row: Hashable) -> list[torch.Tensor]:
        """Every tensor that the optimizer holds now."""
        return [tensor for optimizer in self.of(optimizer_row) for tensor in held(optimizer)]

    def without_gradients(self, optimizer: Hashable) -> bool:
        """Whether no tensor that the optimizer holds has a gradient now."""
        return all(tensor.grad is None for tensor in self.tensors(optimizer))

    def all_held(self) -> list[torch.Tensor]:
        """Every tensor that any optimizer holds now."""
        return [tensor for optimizer in self.known() for tensor in held(optimizer)]

    def rates(self, optimizer_row: Hashable, *, waiting: bool) -> list[float | None]:
        """The learning rate of every group, now; None for one that only ``waiting`` for the device would tell."""
        return [
            optimizer_state.number(group.get("lr"), waiting=waiting)
            for optimizer in self.of(optimizer_row)
            for group in optimizer.param_groups
        ]

    def groups(
        self, optimizer_row: Hashable, size: Callable[[torch.Tensor], int]
    ) -> list[dict[str, float | int | None]]:
        """Every group's rates and size, now.

        Args:
            optimizer_row: the id of the optimizer's row.
            size: how many parameters a tensor stands for.
        """
        return [
            {
                "lr": optimizer_state.number(group.get("lr")),
                "weight_decay": optimizer_state.number(group.get("weight_decay")),
                "momentum": optimizer_state.number(group.get("momentum")),
                "tensors": len(group["params"]),
                "parameters": sum(size(each) for each in group["params"] if not torch.nn.parameter.is_lazy(each)),
            }
            for optimizer in self.of(optimizer_row)
            for group in optimizer.param_groups
        ]

    def step_bound(self, optimizer_row: Hashable, tensor: torch.Tensor) -> torch.Tensor | None:
        """The update of the last step, element by element, where the optimizer's rule is known."""
        step = (optimizer_row, self.optimizers[optimizer_row].steps_executed)
        if self._groups[0] != step:  # once for all tensors of a check
            self._groups = (step, self._groups_by_tensor(optimizer_row))
        optimizers = self.of(optimizer_row)
        for index, place in self._groups[1].get(id(tensor), ()):
            optimizer = optimizers[index]
            bound = optimizer_state.step_bound(optimizer, optimizer.param_groups[place], tensor)
            if bound is not None:
                return bound
        return None

    def _groups_by_tensor(self, optimizer_row: Hashable) -> dict[int, list[tuple[int, int]]]:
        """By id of each tensor, which part of the optimizer holds it, and in which group; keeps nothing alive."""
        found: dict[int, list[tuple[int, int]]] = {}
        for index, optimizer in enumerate(self.of(optimizer_row)):
            for place, group in enumerate(optimizer.param_groups):
                for tensor in group["params"]:
                    found.setdefault(id(tensor), []).append((index, place))
        return found

    def negligible(self, optimizer: Hashable, gradient: torch.Tensor) -> bool:
        """Whether a tensor's gradient is rounding noise beside those of the optimizer's other tensors."""
        step = (optimizer, self.optimizers[optimizer].steps_executed)
        if self._largest[0] != step:  # once for all tensors of a check
            self._largest = (step, max(map(optimizer_state.largest_gradient, self.of(optimizer)), default=0.0))
        return optimizer_state.largest_size(gradient) <= optimizer_state.NOISE * self._largest[1]

    def states(self, tensor: torch.Tensor, own: Callable[[torch.Tensor], torch.Tensor]) -> Iterable[tuple[str, bytes]]:
        """The optimizers' own tensors for this one, of its shape and type, with their names.

        Args:
            tensor: that an optimizer holds.
            own: what belongs to one of many that a flat ``tensor`` is made of.
        """
        for optimizer in list(self._keys):
            for name, state in (optimizer.state.get(tensor) or {}).items():
                if isinstance(state, torch.Tensor) and state.shape == tensor.shape and state.dtype == tensor.dtype:
                    yield f"{type(optimizer).__name__}'s {name}", bytes(host_bytes(own(state)))


def held(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Every tensor of the optimizer, in the order of its groups."""
    return [tensor for group in optimizer.param_groups for tensor in group["params"]]
