"""Modules in eval mode beside one in training mode: both are given the same input and return the same shape."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import nn

from frostline.core.facts import Fact, NetworkInParallel
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.tensors.tensors import shape_of

_RECENT = 64  # calls that are kept to be compared with the next ones


class _Call(NamedTuple):
    given: weakref.ref[torch.Tensor]
    returned: tuple[int, ...]
    module: weakref.ref[nn.Module]
    in_training: bool


class ParallelModules:
    """Compares the calls of modules with parameters: what a teacher or reference answers, its student answers too.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (NetworkInParallel,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._given: list[weakref.ref[torch.Tensor] | None] = []  # by depth
        self._recent: deque[_Call] = deque(maxlen=_RECENT)
        self._found: dict[tuple[int, int], tuple[weakref.ref[nn.Module], ...]] = {}  # the one in eval mode first

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.module_entered.append(self._entered)
        signals.module_left.append(self._left)
        signals.finishing.append(self._finish)
        return []

    def _entered(self, module: nn.Module, given: list[torch.Tensor]) -> None:
        if self._context.forwards.depth == 1:
            self._given.clear()
        self._given.append(weakref.ref(given[0]) if given and modules.has_parameters(module) else None)

    def _left(self, module: nn.Module, _: Any, returned: list[torch.Tensor]) -> None:
        given = self._given.pop() if self._given else None
        if given is None or not returned:
            return
        call = _Call(given, shape_of(returned[0]), weakref.ref(module), module.training)
        for other in self._recent:
            if other.in_training != call.in_training and other.returned == call.returned and _same(other, call):
                evaluated, trained = (other, call) if call.in_training else (call, other)
                self._found[id(evaluated.module()), id(trained.module())] = (evaluated.module, trained.module)
        self._recent.append(call)

    def _finish(self) -> None:
        models, told = self._context.models, set[int]()
        pairs = [(one, other) for first, second in self._found.values() if (one := first()) and (other := second())]
        for evaluated, trained in sorted(pairs, key=lambda pair: -sum(1 for _ in pair[0].modules())):
            if id(evaluated) in told:
                continue
            names, beside = (
                tuple(entry.row.name for entry in models.below(module) if entry.row.kind == "parameter")
                for module in (evaluated, trained)
            )
            if names and beside and not set(names) & set(beside):
                told.update(id(inner) for inner in evaluated.modules())
                self._context.tell(NetworkInParallel(step=self._context.recorder.steps, tensors=names, beside=beside))


def _same(one: _Call, other: _Call) -> bool:
    """Whether two modules were given the same tensor."""
    given = one.given()
    return given is not None and given is other.given() and one.module() is not other.module()
