"""Loops by hand: what the script writes between one gradient and the next is one step."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax

from frostline.core.facts import Fact, OptimizerFound, TensorFound
from frostline.frameworks.claims import claimed
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.signals import Digests
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.steps.values import digests_of
from frostline.frameworks.jax.tensors.paths import Arrays
from frostline.frameworks.jax.traces.proofs import Learned, Proof

NAME = "updates by hand"


@dataclass(slots=True)
class Loop:
    """What asks for one gradient again and again; ``first`` are the digests of its arguments at the first time."""

    source: Callable[[], Any]
    function: Function
    first: Digests


class ManualUpdates:
    """The step that a script is when it takes gradients and makes no optimizer.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerFound, TensorFound)

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._loops: dict[int, Loop] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.gradients_given.append(self._given)
        return []

    def _given(self, source: Any, arrays: Arrays, digests: Digests) -> None:
        others = (function for function in self._context.answers.functions.values() if not function.by_hand)
        if any(others) or claimed(jax.grad):
            return  # optimizers make the updates; gradients by themselves are of interest in many ways
        source = getattr(source, "__code__", source)  # a function may be recreated for each gradient
        loop = self._loops.get(id(source))
        if loop is None or loop.source() is not source:
            first = {path: digests[path] for path in arrays if path in digests} or digests_of(arrays)
            self._loops[id(source)] = Loop(
                weakref.ref(source), Function(NAME, by_hand=True, label="no optimizer"), first
            )
            return
        call = Call(lambda: arrays, lambda _: arrays, compiled=False)
        if loop.function.row is None:
            if digests_of(arrays) == loop.first:
                return
            call.digests = loop.first
            proofs = {path: Proof(inner=path[1:], applied=True, differentiated=True) for path in arrays}
            pairs = {path: path for path in arrays}
            self._context.learning.take(loop.function, call, Learned(proofs=proofs, pairs=pairs))
            self._calls.made(loop.function, call.handed_back, None)
        self._calls.begin(loop.function, call)
        self._calls.made(loop.function, call.handed_back, None)
