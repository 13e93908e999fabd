"""The hooks that every run needs: optimizers made and stepping, backward passes; they publish what happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import torch
from torch.optim import optimizer as optim

from frostline.core.facts import Fact, OptimizerSeen
from frostline.frameworks.claims import claimed
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.replaced_steps import ReplacedSteps


class StepHooks:
    """Publishes steps and backward passes, and announces the steps to the recorder.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._signals = context.signals
        self._before, self._after = dynamo_guard.hook(self._before_step), dynamo_guard.hook(self._after_step)
        self._replaced = ReplacedSteps(context, self._before, self._after)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [
            optim.register_optimizer_step_pre_hook(self._before).remove,
            optim.register_optimizer_step_post_hook(self._after).remove,
            self._context.wrap(torch.optim.Optimizer, "__init__", self._made),
            self._context.wrap(torch.autograd, "backward", self._backward),
            put(torch.autograd, "grad", dynamo_guard.observed(torch.autograd.grad, self._gradients)),
        ]

    # Steps

    def _before_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: an optimizer is about to step."""
        context = self._context
        if claimed(optimizer) or not context.thread.is_here():
            return
        if not context.under_way.begin(optimizer, sys._getframe(2)):  # past the hook: the frame that lasts as long
            return
        try:
            key = context.id_of(optimizer)
            context.owners.meet(optimizer)
            closure = args[1] if len(args) > 1 else kwargs.get("closure")
            context.publish("before a step", self._signals.step_nears, key, closure is not None)
            context.recorder.holdings.made_inside = False
            context.recorder.before_step(key)
            context.publish("before a step", self._signals.step_began, key)
            if context.recorder.steps >= 2 and context.models.models:  # all has been seen, until the next check
                context.forwards.switch(False)
        except Exception as error:
            context.fault("torch: before a step", error)

    def _after_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: the optimizer has stepped."""
        context = self._context
        if claimed(optimizer):
            return
        if not context.thread.is_here():
            row = context.recorder.optimizers[context.id_of(optimizer)]
            context.tell(OptimizerSeen(optimizer=row.id, steps_beside=row.steps_beside + 1))
            return
        if not context.under_way.end(optimizer):
            return
        try:
            key = context.id_of(optimizer)
            context.publish("after a step", self._signals.step_ended, optimizer, key)
            context.stepped(key)
        except Exception as error:
            context.fault("torch: after a step", error)

    def _made(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._context.quietly("an optimizer was made", self._optimizer_made, optimizer)
        return result

    def _optimizer_made(self, optimizer: torch.optim.Optimizer) -> None:
        """Training is near, and a new model may be."""
        context = self._context
        context.optimizers.made(optimizer)
        for made in self._signals.optimizer_made:
            made(optimizer)
        if context.thread.is_here():
            context.forwards.switch(True)

    # Backward passes

    def _backward(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        roots = args[0] if args else kwargs.get("tensors")
        try:  # not quietly: this runs at every step, and mostly there is nothing to set aside for
            self._before_backward(roots)
        except Exception as error:
            self._context.fault("torch: before a backward pass", error)
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._context.publish("after a backward pass", self._signals.backward_ended)

    def _before_backward(self, roots: object) -> None:
        context = self._context
        if not context.thread.is_here():
            return
        context.recorder.flags.begin()
        if context.under_way:
            context.recorder.holdings.made_inside = True
            return
        context.backwards += 1
        self._replaced.look()
        checked = context.check_ahead()
        context.publish("before a backward pass", self._signals.backward_began, roots, checked)

    def _gradients(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if len(args) > 1 and isinstance(args[1], Iterator):  # such as model.parameters(), which can be run through once
            args = (args[0], tuple(args[1]), *args[2:])
        elif isinstance(kwargs.get("inputs"), Iterator):
            kwargs = {**kwargs, "inputs": tuple(kwargs["inputs"])}
        inputs = args[1] if len(args) > 1 else kwargs.get("inputs")
        differentiable = bool(args[4] if len(args) > 4 else kwargs.get("create_graph", False))
        publish, signals = self._context.publish, self._signals
        publish("before gradients are computed", signals.gradients_asked, inputs, differentiable)
        try:
            gradients = function(*args, **kwargs)
        finally:
            publish("after gradients", signals.gradients_ended)
        if not differentiable:
            publish("gradients were computed", signals.gradients_given, inputs, gradients)
        return gradients
