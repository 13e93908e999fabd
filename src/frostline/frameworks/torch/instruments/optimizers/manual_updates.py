"""Loops without an optimizer: what the script writes between one backward pass and the next is one step.

Where the script asks for gradients by ``torch.autograd.grad``, that is its backward pass, if they are those of weights
(a penalty on the slope at the inputs asks for others) and no graph is made of them (then they go into another loss).
Functional training has no backward pass. There a call of the module under a gradient transform is the boundary, and
so is a plain forward pass, since a loop that was traced as a whole calls the module no more.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, OptimizerDropped, OptimizerFound, TensorFound, TensorSeen
from frostline.frameworks.alive import alive
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.graph import listed, tensors_of
from frostline.frameworks.torch.tensors.tensors import NamedTensor, zero_state
from frostline.observe.variable_names import variable_names

NAME = "updates by hand"
PASSES_SEARCHED = 4


class ManualUpdates:
    """The optimizer that a script is when it makes no optimizer.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerFound, OptimizerDropped, TensorFound, TensorSeen)

    def __init__(self, context: Context) -> None:
        self._context, self._models, self._recorder = context, context.models, context.recorder
        self._so: bool | None = None
        self._functional = False
        self._searched = 0
        self._reached: dict[int, weakref.ref[torch.Tensor]] = {}
        self._in_modules: dict[int, weakref.ref[torch.Tensor]] = {}
        self._asked_for: list[NamedTensor] = []  # tensors whose gradients the script was given

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.optimizer_made.append(lambda _: self._rule_out())
        signals.backward_began.append(lambda roots, _: self._backward(roots))
        signals.gradients_asked.append(self._asked)
        signals.gradients_given.append(self._given)
        signals.transformed.append(self._transformed)
        signals.model_called.append(self._model_called)
        signals.training_ended.append(self._end)
        return []

    def _rule_out(self) -> None:
        """An optimizer was made; gradients asked for before, after which nothing moved, were no updates."""
        self._so = False
        if self._recorder.optimizers.keys() == {NAME}:
            self._drop_if_idle()

    def _backward(self, roots: object) -> None:
        """A backward pass from ``roots`` is about to begin: the update that followed the last one is complete."""
        if self._so is False:
            return
        self._functional = False
        with aside():
            if self._searching():
                self._meet_tensors(tensors_of(roots if isinstance(roots, (list, tuple)) else (roots,)))
            self._boundary()

    def _awaits_gradients(self) -> bool:
        """Whether gradients that the script asks for may go into an update: no optimizer was made so far."""
        return self._so is not False and not self._context.under_way and self._context.thread.is_here()

    def _asked(self, tensors: object, differentiable: bool) -> None:
        """The gradients of ``tensors`` are about to be computed for the script, which may update them itself."""
        if differentiable or not self._awaits_gradients():
            return
        with aside():
            wanted = [each for each in listed(tensors) if isinstance(each, torch.Tensor) and each.is_leaf]
            if self._searching():
                self._meet_tensors(wanted)
            if self._models.any_of(wanted):
                self._functional = False
                self._boundary()

    def _given(self, tensors: object, gradients: Any) -> None:
        """These are the gradients of ``tensors``; they are looked at where the coming update is a check."""
        if not self._so or not self._recorder.checking or not self._awaits_gradients():
            return
        with aside():
            for tensor, gradient in zip(listed(tensors), gradients, strict=False):
                entry = self._models.of(tensor)
                if entry is not None and isinstance(gradient, torch.Tensor) and zero_state(gradient) == "nonzero":
                    self._asked_for.append(entry)

    def _searching(self) -> bool:
        return self._so is not False and not self._models.tensors and self._searched < PASSES_SEARCHED

    def _transformed(self) -> None:
        """A module is about to be called with other weights than its own, to differentiate by them."""
        self._functional = True
        self._boundary()

    def _model_called(self) -> None:
        """A model is about to be called plainly."""
        if self._functional:
            self._boundary()

    def _boundary(self) -> None:
        if self._so is None:
            self._so = not self._held_by_older_optimizer()
        if not self._so:
            return
        observer = self._recorder
        if NAME in observer.optimizers:
            observer.after_step(NAME)
        else:
            observer.tracked.found_optimizer(NAME, "optimizer", "no optimizer", by_hand=True)
        observer.before_step(NAME)

    def _meet_tensors(self, reached: Iterable[torch.Tensor]) -> None:
        """A script without modules trains plain tensors: those that two backward passes in turn lead to."""
        self._searched += 1
        before, self._reached = self._reached, {}
        loose = []
        for tensor in reached:
            self._reached[id(tensor)] = weakref.ref(tensor)
            if _is_among(tensor, before) and not _is_among(tensor, self._in_modules):
                loose.append(tensor)
        for module in modules.modules_holding(loose) if loose else ():
            for parameter in module._parameters.values():
                if parameter is not None:  # the module's to tell, be it another probe's
                    self._in_modules[id(parameter)] = weakref.ref(parameter)
        loose = [tensor for tensor in loose if not _is_among(tensor, self._in_modules)]
        if loose:
            self._models.add_tensors(loose, variable_names({id(tensor) for tensor in loose}, skip=("torch",)))

    def _end(self) -> None:
        """The last update ends here."""
        observer = self._recorder
        if NAME not in observer.optimizers:
            return
        if self._so:
            observer.after_step(NAME)
        self._drop_if_idle()
        for entry in self._asked_for if NAME in observer.optimizers else ():
            self._models.tell(TensorSeen(tensor=entry.row.id, reached_by_backward=True))

    def _drop_if_idle(self) -> None:
        """Backward passes after which nothing moved were no updates: gradients may be of interest by themselves."""
        if all(entry.row.changed.verdict != "yes" for entry in self._models.tensors):
            del self._recorder.optimizers[NAME]
            self._models.tell(OptimizerDropped(optimizer=NAME))

    def _held_by_older_optimizer(self) -> bool:
        """Whether an optimizer made before the observation began holds a tensor of a known model.

        Those that were named are asked first: a search of all objects of the process takes as long as many steps.
        """
        if not self._models.tensors:
            return False
        return self._is_held_by(self._context.optimizers.known()) or self._is_held_by(alive(torch.optim.Optimizer))

    def _is_held_by(self, optimizers: Iterable[torch.optim.Optimizer]) -> bool:
        known = self._models.keys()
        return any(id(tensor) in known for optimizer in optimizers for tensor in held(optimizer))


def _is_among(tensor: torch.Tensor, seen: dict[int, weakref.ref[torch.Tensor]]) -> bool:
    return id(tensor) in seen and seen[id(tensor)]() is tensor
