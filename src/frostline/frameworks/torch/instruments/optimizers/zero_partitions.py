"""DeepSpeed's optimizers, which step flat master copies: the model's parameters that these stand for."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, Held
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.optimizers import optimizer_state
from frostline.observe.protocols import Hold

TAKERS = (  # the classes that take over an optimizer, by module
    ("deepspeed.runtime.zero.stage_1_and_2", "DeepSpeedZeroOptimizer"),
    ("deepspeed.runtime.zero.stage3", "DeepSpeedZeroOptimizer_Stage3"),
    ("deepspeed.runtime.bf16_optimizer", "BF16_Optimizer"),
)
GROUPS = ("bit16_groups", "fp16_groups", "bf16_groups")  # where they keep the model's parameters, group by group


class ZeroPartitions:
    """Lets an optimizer that was taken over hold the model's parameters, in whatever process their masters are.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._takers: weakref.WeakKeyDictionary[torch.optim.Optimizer, weakref.ref[Any]] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.holds_read.append(self._add)
        for module, name in TAKERS:
            self._context.wrap_when_imported(module, name, "__init__", self._init)
        return []

    def _init(self, wrapped: Any, taker: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._context.quietly("DeepSpeed took over an optimizer", self._took, taker)
        return result

    def _took(self, taker: Any) -> None:
        if isinstance(taker.optimizer, torch.optim.Optimizer):
            self._takers[taker.optimizer] = weakref.ref(taker)
            self._context.owners.keep_masters(taker.optimizer)
            trained = [parameter for group in _groups(taker) for parameter in group]
            self._context.models.add(modules.roots_of(modules.modules_holding(trained)))

    def _add(self, key: Hashable, holds: dict[Hashable, Hold]) -> None:
        keys: dict[int, list[Hashable]] | None = None
        for optimizer in self._context.optimizers.of(key):
            taker = reference() if (reference := self._takers.get(optimizer)) is not None else None
            for index, group in enumerate(_groups(taker)):
                keys = self._context.models.keys() if keys is None else keys
                rates = optimizer.param_groups[min(index, len(optimizer.param_groups) - 1)]
                lr, decay = (optimizer_state.number(rates.get(name)) for name in ("lr", "weight_decay"))
                for parameter in group:
                    for tensor in keys.get(id(parameter), ()):  # its gradients went into buffers before the step
                        holds[tensor] = Hold(index, lr=lr, weight_decay=decay, inside=True)


def _groups(taker: Any) -> list[list[torch.Tensor]]:
    return next((groups for name in GROUPS if (groups := getattr(taker, name, None))), [])
