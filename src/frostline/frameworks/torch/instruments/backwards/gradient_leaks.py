"""The order of backward passes and steps: gradients that one optimizer's phase leaves for another, and double steps."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

import torch

from frostline.core.facts import Fact, GradientLeft, SteppedTogether
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.tensors.tensors import zero_state
from frostline.observe.schedule import due

ROUNDS_WATCHED = 4
SAMPLED = 4


class GradientLeaks:
    """Watches the first rounds of a run with two or more optimizers.

    Gradients are left by the phase of B for the step of A when a tensor of A (not held by B) has a gradient before
    A's own backward pass begins, A has not been stepped since, and B was stepped in between. The first backward
    pass after B's step decides: what it and later ones find clean was not left by B, even where A has several passes
    to one step.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (GradientLeft, SteppedTogether)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._held: dict[Hashable, list[torch.Tensor]] = {}
        self._stepped: list[Hashable] = []  # optimizers stepped since the last backward pass
        self._other_stepped: dict[Hashable, Hashable] = {}  # optimizer -> another one stepped since its own last step
        self._clean: set[Hashable] = set()  # optimizers found without a gradient since another one stepped
        self._leaked: dict[Hashable, tuple[Hashable, list[torch.Tensor]]] = {}
        self._left: dict[Hashable, list[tuple[torch.Tensor, weakref.ref[torch.Tensor]]]] = {}  # with what was left then
        self._pending: dict[Hashable, tuple[Hashable, list[torch.Tensor], int]] = {}
        self._seen: dict[Hashable, int] = {}
        self._applied: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}  # gradients that went into steps
        self._told: set[tuple[type[Fact], Hashable, bool]] = set()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.optimizer_found.append(self._note_held)
        signals.check_ended.append(self._check_ended)
        signals.backward_began.append(lambda *_: self._backward())
        signals.step_nears.append(self._step)
        signals.step_ended.append(lambda _, key: self._step_ended(key))
        return []

    def _note_held(self, optimizer: Hashable) -> None:
        self._held[optimizer] = self._context.optimizers.tensors(optimizer)

    def _check_ended(self, optimizer: Hashable) -> None:
        if len(self._context.recorder.optimizers) > 1:
            self._note_held(optimizer)

    def _backward(self) -> None:
        """A backward pass is about to begin."""
        if len(self._held) > 1:
            with aside():
                self._look_for_leaks()
        self._begin_phase()

    def _look_for_leaks(self) -> None:
        for optimizer, other in list(self._other_stepped.items()):
            if optimizer in self._clean | set(self._stepped) or self._seen.get(optimizer, 0) > ROUNDS_WATCHED:
                continue
            theirs = {id(tensor) for tensor in self._held.get(other, [])}
            own = [tensor for tensor in self._held.get(optimizer, []) if id(tensor) not in theirs]
            left = [tensor for tensor in own[:SAMPLED] if zero_state(tensor.grad) == "nonzero"]
            if left:
                self._leaked[optimizer] = (other, own)
                self._left[optimizer] = [
                    (tensor, weakref.ref(tensor.grad)) for tensor in left if tensor.grad is not None
                ]
            else:
                self._leaked.pop(optimizer, None)
                self._clean.add(optimizer)

    def _begin_phase(self) -> None:
        for optimizer, (other, tensors, step) in self._pending.items():
            together = other in self._stepped
            if (GradientLeft, optimizer, together) not in self._told:
                self._told.add((GradientLeft, optimizer, together))
                names, tell = self._context.names_of(tensors), self._context.tell
                tell(
                    GradientLeft(
                        step=step, optimizer=str(optimizer), other=str(other), tensors=names, together=together
                    )
                )
        self._pending.clear()
        self._stepped.clear()

    def _step_ended(self, optimizer: Hashable) -> None:
        """Remember which gradients the step applied: what the script puts in their place is of no backward pass."""
        if len(self._context.recorder.optimizers) > 1 and self._is_looked_at(optimizer):
            for tensor in self._held.get(optimizer, ()):
                if (gradient := tensor.grad) is not None:
                    self._applied[id(tensor)] = weakref.ref(gradient), gradient._version

    def _is_looked_at(self, optimizer: Hashable) -> bool:
        steps = self._seen.get(optimizer, 0)
        return steps <= ROUNDS_WATCHED or due(steps)

    def _was_applied(self, tensor: torch.Tensor) -> bool:
        reference, version = self._applied.get(id(tensor), (None, 0))
        gradient = tensor.grad
        return (
            gradient is not None and reference is not None and reference() is gradient and gradient._version == version
        )

    def _moves(self, optimizer: Hashable, tensor: torch.Tensor) -> bool:
        """Whether the gradient at hand makes the optimizer move the tensor: one of zeros does where it decays."""
        state = zero_state(tensor.grad)
        groups = [group for each in self._context.optimizers.of(optimizer) for group in each.param_groups]
        decaying = (group["params"] for group in groups if state == "zero" and group.get("weight_decay"))
        return state == "nonzero" or any(each is tensor for held in decaying for each in held)

    def _step(self, optimizer: Hashable, closure: bool) -> None:
        """An optimizer is about to step; with a closure it makes its own backward passes, and no earlier ones count."""
        if len(self._context.recorder.optimizers) < 2:
            return
        step = self._context.recorder.steps + 1
        if closure:
            self._begin_phase()
            self._leaked.pop(optimizer, None)
        self._seen[optimizer] = self._seen.get(optimizer, 0) + 1
        leak = self._leaked.pop(optimizer, None)
        kept = any(tensor.grad is grad() is not None for tensor, grad in self._left.pop(optimizer, ()))  # not cleared
        if leak is not None and kept and not self._stepped:
            self._pending[optimizer] = (*leak, step)
        for other in self._stepped if self._is_looked_at(optimizer) else ():  # gradients are waited for
            mine = {id(tensor) for tensor in self._held.get(optimizer, [])}
            twice = [tensor for tensor in self._held.get(other, []) if id(tensor) in mine]
            moving = [tensor for tensor in twice if self._was_applied(tensor) and self._moves(optimizer, tensor)]
            if moving and other != optimizer and (SteppedTogether, optimizer, False) not in self._told:
                self._told.add((SteppedTogether, optimizer, False))
                names = self._context.names_of(moving)
                self._context.tell(
                    SteppedTogether(step=step, optimizer=str(optimizer), other=str(other), tensors=names)
                )
        for other in self._held:
            if other != optimizer:
                self._other_stepped[other] = optimizer
                self._clean.discard(other)
        self._other_stepped.pop(optimizer, None)
        self._stepped.append(optimizer)
