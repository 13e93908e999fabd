"""What surrounds a tensor: statistics in a frozen module, copies of weights that are trained, zeros that stayed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

import numpy as np

from frostline.core.facts import BufferFrozen, Fact, TensorSeen
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.tensors import JaxTensor
from frostline.observe.protocols import Unreadable

COLLECTIONS = frozenset({"params", "batch_stats"})  # of linen, in which one module has a place of its own each


class ModuleStates:
    """Tells which buffers are frozen with their modules, which tensors began as copies of others, which stayed zero.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (BufferFrozen, TensorSeen)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_learned.append(self._learned)
        self._context.signals.finished.append(self._tell_zeros)
        return []

    def _learned(self, function: Function, _: Call) -> None:
        tensors = list(function.tensors.values())
        weights = [(_module(each), each) for each in tensors if each.row.kind == "parameter"]
        for buffer in (each for each in tensors if each.row.kind == "buffer"):
            subtree = _frozen_around(_module(buffer), weights)
            if subtree != buffer.row.owner.frozen_subtree:
                self._context.tell(BufferFrozen(tensor=buffer.row.id, subtree=subtree))
        self._tell_copies(tensors)

    def _tell_copies(self, tensors: list[JaxTensor]) -> None:
        """Those that nobody trains and that have the bits of a trained one at the first check."""
        watched = self._context.recorder.tensors
        trained = {
            (each.row.shape, watched[each.key].first) for each in tensors if each.row.declared.trainable is not None
        }
        for each in tensors:
            undeclared = each.row.kind == "parameter" and each.row.declared.trainable is None
            if undeclared and each.row.copied_at is None and (each.row.shape, watched[each.key].first) in trained:
                self._context.tell(TensorSeen(tensor=each.row.id, copied_at=0))

    def _tell_zeros(self) -> None:
        """Of weights that should have moved and of statistics that did not: a mean of zeros gathered nothing."""
        for each in self._context.answers.tensors:
            row = each.row
            if row.changed.verdict == "no" and (row.declared.trainable or row.owner.role == "normalisation"):
                self._context.tell(TensorSeen(tensor=row.id, zeros=_is_zeros(each)))


def _is_zeros(tensor: JaxTensor) -> bool | None:
    try:
        return not np.any(tensor.read())
    except Unreadable:
        return None


def _module(tensor: JaxTensor) -> tuple[str, ...]:
    return tuple(piece for piece in tensor.row.owner.path.split(".") if piece not in COLLECTIONS)


def _frozen_around(module: tuple[str, ...], weights: list[tuple[tuple[str, ...], JaxTensor]]) -> str | None:
    """The module around a buffer that has weights, if these are all frozen."""
    for length in range(len(module), 0, -1):
        inside = [tensor for path, tensor in weights if path[:length] == module[:length]]
        if inside:
            frozen = all(tensor.row.declared.trainable is False for tensor in inside)
            return ".".join(module[:length]) if frozen else None
    return None
