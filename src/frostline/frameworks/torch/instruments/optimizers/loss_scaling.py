"""Losses that a gradient scaler multiplied, and optimizers that step on their gradients as they are."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.graph import listed, tensors_below

LOOKS = 3  # backward passes of scaled losses, whose graphs are walked


class LossScaling:
    """Tells which optimizers step, without their scaler, right after the backward pass of a scaled loss reached them.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scaled: weakref.ref[torch.Tensor] | None = None  # what a scaler made of a loss, the last time
        self._reached: set[int] = set()  # by the last backward pass, where that was one of a scaled loss
        self._by_scaler: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._looks = 0

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.backward_began.append(self._backward_began)
        self._context.signals.step_ended.append(self._step_ended)
        wrap, scaler = self._context.wrap, torch.amp.GradScaler
        return [
            wrap(scaler, "scale", self._scale),
            *(wrap(scaler, name, self._divides) for name in ("step", "unscale_")),
        ]

    def _scale(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        made = wrapped(*args, **kwargs)
        if self._looks < LOOKS and isinstance(made, torch.Tensor) and made is not (args or [None])[0]:
            self._scaled = weakref.ref(made)
        return made

    def _divides(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        optimizer = args[0] if args else kwargs.get("optimizer")
        inner = getattr(optimizer, "optimizer", optimizer)
        if isinstance(inner, torch.optim.Optimizer):
            self._by_scaler.add(inner)
        return wrapped(*args, **kwargs)

    def _backward_began(self, roots: object, _: bool) -> None:
        scaled, self._reached = self._scaled and self._scaled(), set()
        if scaled is not None and any(root is scaled for root in listed(roots)):
            self._looks, self._scaled = self._looks + 1, None
            self._reached = {id(tensor) for tensor in tensors_below(roots) or ()}

    def _step_ended(self, optimizer: torch.optim.Optimizer, key: Hashable) -> None:
        if not self._reached or optimizer in self._by_scaler:
            return
        if any(id(tensor) in self._reached for group in optimizer.param_groups for tensor in group["params"]):
            row = self._context.recorder.optimizers[key]
            self._context.tell(OptimizerSeen(optimizer=row.id, loss_scaled=True, gradients_unscaled=False))
            self._reached = set()
