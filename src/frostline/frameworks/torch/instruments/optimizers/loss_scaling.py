"""Losses that a gradient scaler multiplied, and optimizers that step on their gradients as they are."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar, TypeAlias

import torch

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.graph import listed, tensors_below

LOOKS = 3  # backward passes of scaled losses, whose graphs are walked
FAR, ALONG = 0.5, 0.1  # of what rate and gradient ask for; of the move, what is not along the gradient
SAMPLED = 256  # values of each tensor that such a pass reached
Ready: TypeAlias = tuple[torch.Tensor, torch.Tensor]  # values of a tensor and of its gradient, as backward left them


class LossScaling:
    """Tells which optimizers step, without their scaler, on gradients as the backward pass of a scaled loss left them.

    Gradients that the script divided itself have other bits by then. An optimizer such as Adam, whose steps do not grow
    with gradients, and a rate that the script has divided, show in how far the step moves tensors.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._scaled: weakref.ref[torch.Tensor] | None = None  # what a scaler made of a loss, the last time
        self._reached: list[torch.Tensor] = []  # by the backward pass under way, where that is one of a scaled loss
        self._ready: dict[int, Ready] = {}  # by tensor that the last such pass reached
        self._by_scaler: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._looks = 0

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.backward_began.append(self._backward_began)
        signals.backward_ended.append(self._backward_ended)
        signals.step_ended.append(self._step_ended)
        wrap, scaler = self._context.wrap, torch.amp.GradScaler
        return [
            wrap(scaler, "scale", self._scale),
            *(wrap(scaler, name, self._divides) for name in ("step", "unscale_")),
        ]

    def _scale(self, wrapped: Any, scaler: Any, args: Any, kwargs: Any) -> Any:
        made = wrapped(*args, **kwargs)
        if self._looks < LOOKS and isinstance(made, torch.Tensor) and scaler.get_scale() != 1:
            self._scaled = weakref.ref(made)
        return made

    def _divides(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        optimizer = args[0] if args else kwargs.get("optimizer")
        inner = getattr(optimizer, "optimizer", optimizer)
        if isinstance(inner, torch.optim.Optimizer):
            self._by_scaler.add(inner)
        return wrapped(*args, **kwargs)

    def _backward_began(self, roots: object, _: bool) -> None:
        scaled, self._reached = self._scaled and self._scaled(), []
        self._ready.clear()
        if scaled is not None and any(root is scaled for root in listed(roots)):
            self._looks, self._scaled = self._looks + 1, None
            self._reached = tensors_below(roots) or []

    def _backward_ended(self) -> None:
        for tensor in self._reached:
            if type(tensor.grad) is torch.Tensor and not tensor.grad.is_sparse and not tensor._backward_hooks:
                self._ready[id(tensor)] = _values(tensor).clone(), _values(tensor.grad).clone()
        self._reached = []

    def _step_ended(self, optimizer: torch.optim.Optimizer, key: Hashable) -> None:
        if not self._ready or optimizer in self._by_scaler:
            return
        held = [(group.get("lr"), tensor) for group in optimizer.param_groups for tensor in group["params"]]
        ready = [(rate, tensor, *self._ready.pop(id(tensor))) for rate, tensor in held if id(tensor) in self._ready]
        if ready and all(_moved_by_gradient(*each) for each in ready):
            row = self._context.recorder.optimizers[key]
            self._context.tell(OptimizerSeen(optimizer=row.id, loss_scaled=True, gradients_unscaled=False))


def _moved_by_gradient(rate: Any, tensor: torch.Tensor, before: torch.Tensor, gradient: torch.Tensor) -> bool:
    """Whether the gradient is as backward left it, and the step moved the tensor along it, at least half as far."""
    if rate is None or type(tensor.grad) is not torch.Tensor or not torch.equal(_values(tensor.grad), gradient):
        return False
    asked, moved = float(rate) * gradient.double(), before.double() - _values(tensor).double()
    share = float(moved @ asked) / (float(asked @ asked) or 1.0)
    return share >= FAR and float((moved - share * asked).norm()) <= ALONG * float(moved.norm())


def _values(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().reshape(-1)[:SAMPLED]
