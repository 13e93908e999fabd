"""An unchanged PyTorch script, run up to where a tool that wants a model, an optimizer and a batch can be called.

Hooks note every module that the script calls, every optimizer that steps and every loss of ``torch.nn.functional``
that is computed. At an optimizer's first step, and at the end, a fork of the process is handed to each rival: it may
train, overwrite and break what it likes, and the script goes on undisturbed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

LOSSES = (
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
)


@dataclass
class Scene:
    """What a tool is handed.

    Args:
        model: a module that the script calls, with ``name``, the script's for it.
        optimizer: that holds it; ``optimizers`` are all there are.
        args: and ``kwargs``, of the module's last call with gradients.
        loss: from the module's output to a scalar: the script's own loss where it is one of ``torch.nn.functional``.
        loss_fn: the same from output and ``targets``; None where the script computes its loss by hand.
        frozen: and ``trained``, patterns of what was meant, as given to frostline.
        moment: "first step" or "end".
    """

    model: nn.Module
    name: str
    optimizer: torch.optim.Optimizer
    optimizers: list[torch.optim.Optimizer]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loss: Callable[[Any], torch.Tensor]
    loss_fn: Callable[[Any, Any], torch.Tensor] | None
    targets: Any
    moment: str
    frozen: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> Any:
        """In the form that tools take a batch in: a tensor, a tuple of them, or a dict of keyword arguments."""
        if self.kwargs:
            return self.kwargs
        return self.args[0] if len(self.args) == 1 else self.args


@dataclass
class _Call:
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any


@dataclass
class _Loss:
    function: Callable[..., torch.Tensor]
    output: torch.Tensor
    target: Any
    kwargs: dict[str, Any]


class Stage:
    """The hooks, and the scenes that can be made of what they saw.

    Args:
        first_step: called once for each optimizer, before its first step.
        first_call: called once, before the first call of a module after an optimizer was made.
    """

    def __init__(self, first_step: Callable[[list[Scene]], None], first_call: Callable[[], None]) -> None:
        self.first_step, self.first_call = first_step, first_call
        self.calls: dict[int, _Call] = {}
        self.losses: list[_Loss] = []
        self.optimizers: list[torch.optim.Optimizer] = []
        self.stepped: set[int] = set()
        self.globals: dict[str, Any] = {}
        self.depth = 0
        self.watching = True
        self.called = False

    def install(self) -> None:
        """Attach to torch; never taken off, since the process is the script's alone."""
        self._wrap_calls()
        self._wrap_optimizers()
        for name in LOSSES:
            self._wrap_loss(name)
        register_optimizer_step_pre_hook(self._before_step)

    def scenes(self, moment: str, optimizer: torch.optim.Optimizer | None = None) -> list[Scene]:
        """A scene for each module called with gradients and the optimizer that holds most of it."""
        scenes = []
        for call in self.calls.values():
            own = {id(parameter) for parameter in call.module.parameters()}
            shares = [(len(own & _held(one)), one) for one in self.optimizers if id(one) in self.stepped]
            if not own or not shares:
                continue
            _, holder = max(shares, key=lambda share: share[0])
            if optimizer is None or holder is optimizer:
                scenes.append(self._scene(call, holder, moment))
        return scenes

    def bare_scenes(self, modules: list[nn.Module]) -> list[Scene]:
        """The same before anything was called: for each of these modules and the optimizer that holds most of it."""
        scenes = []
        for module in modules:
            own = {id(parameter) for parameter in module.parameters()}
            shares = [(len(own & _held(one)), one) for one in self.optimizers]
            if own and any(share for share, _ in shares):
                _, holder = max(shares, key=lambda share: share[0])
                call = _Call(module, (), {}, None)
                scenes.append(self._scene(call, holder, "first call"))
        return scenes

    def _scene(self, call: _Call, optimizer: torch.optim.Optimizer, moment: str) -> Scene:
        loss_fn, targets = self._loss_of(call)
        loss = _surrogate if loss_fn is None else functools.partial(_bound, loss_fn, targets)
        name = self._name(call.module)
        return Scene(
            call.module, name, optimizer, self.optimizers, call.args, call.kwargs, loss, loss_fn, targets, moment
        )

    def _loss_of(self, call: _Call) -> tuple[Callable[[Any, Any], torch.Tensor] | None, Any]:
        """The noted loss that was computed from what this call returned."""
        for loss in reversed(self.losses):
            if isinstance(call.output, torch.Tensor) and loss.output.data_ptr() == call.output.data_ptr():
                return functools.partial(_replayed, loss), loss.target
        return None, None

    def _name(self, module: nn.Module) -> str:
        for name, value in self.globals.items():
            if isinstance(value, nn.Module):
                for inner, part in value.named_modules():
                    if part is module:
                        return f"{name}.{inner}" if inner else name
        return "model"

    def _wrap_calls(self) -> None:
        plain = nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            outermost = self.watching and self.depth == 0
            if outermost and not self.called and self.optimizers:
                self.called = True
                self.first_call()
            self.depth += 1
            try:
                output = plain(module, *args, **kwargs)
            finally:
                self.depth -= 1
            if outermost and torch.is_grad_enabled() and next(module.parameters(), None) is not None:
                self.calls[id(module)] = _Call(module, _detached(args), _detached(kwargs), output)
            return output

        nn.Module.__call__ = call  # type: ignore[method-assign]

    def _wrap_optimizers(self) -> None:
        plain = torch.optim.Optimizer.__init__

        def made(optimizer: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> None:
            plain(optimizer, *args, **kwargs)
            self.optimizers.append(optimizer)

        torch.optim.Optimizer.__init__ = made  # type: ignore[method-assign]

    def _wrap_loss(self, name: str) -> None:
        plain = getattr(nn.functional, name)

        @functools.wraps(plain)
        def noted(output: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
            value = plain(output, target, *args, **kwargs)
            if self.watching and isinstance(value, torch.Tensor) and value.requires_grad and value.numel() == 1:
                self.losses = [*self.losses[-7:], _Loss(plain, output, _detached(target), kwargs)]
            return value

        setattr(nn.functional, name, noted)

    def _before_step(self, optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        if self.watching and id(optimizer) not in self.stepped:
            self.stepped.add(id(optimizer))
            self.first_step(self.scenes("first step", optimizer))


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """All tensors in nested tuples, lists, dicts and model outputs."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors(one)


def _held(optimizer: torch.optim.Optimizer) -> set[int]:
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def _detached(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, dict):
        return {key: _detached(one) for key, one in value.items()}
    return type(value)(map(_detached, value)) if type(value) in (tuple, list) else value


def _replayed(loss: _Loss, output: torch.Tensor, target: Any) -> torch.Tensor:
    return loss.function(output.reshape(loss.output.shape), target, **loss.kwargs)


def _bound(loss_fn: Callable[[Any, Any], torch.Tensor], targets: Any, output: Any) -> torch.Tensor:
    return loss_fn(output, targets)


def _surrogate(output: Any) -> torch.Tensor:
    """Where a script computes its loss by hand: the model's own loss, or one that every output reaches."""
    own = getattr(output, "loss", None)
    if isinstance(own, torch.Tensor):
        return own
    return sum(tensor.float().square().mean() for tensor in tensors(output) if tensor.requires_grad)
