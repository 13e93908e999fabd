"""Loops without an optimizer: what the script writes between one backward pass and the next is one step.

Where the script asks for gradients by ``torch.autograd.grad``, that is its backward pass, if they are those of weights
(a penalty on the slope at the inputs asks for others) and no graph is made of them (then they go into another loss).
Functional training has no backward pass. There a call of the module under a gradient transform is the boundary, and
so is a plain forward pass, since a loop that was traced as a whole calls the module no more.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable

import torch

from frostline.core.facts import OptimizerDropped, TensorSeen
from frostline.frameworks.alive import alive
from frostline.frameworks.torch_probe import discover
from frostline.frameworks.torch_probe.graph import listed
from frostline.frameworks.torch_probe.leaf import TorchLeaf, zero_state
from frostline.frameworks.torch_probe.models import Models
from frostline.observe.names import variable_names

NAME = "updates by hand"
PASSES_SEARCHED = 4


class UpdatesByHand:
    """The program that a script is when it makes no optimizer.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self._so: bool | None = None
        self._functional = False
        self._searched = 0
        self._reached: dict[int, weakref.ref[torch.Tensor]] = {}
        self._in_modules: dict[int, weakref.ref[torch.Tensor]] = {}
        self._asked: list[TorchLeaf] = []  # leaves whose gradients the script was given

    @property
    def ruled_out(self) -> bool:
        """Whether the script is known to use optimizers."""
        return self._so is False

    def rule_out(self) -> None:
        """An optimizer was made; gradients asked for before, after which nothing moved, were no updates."""
        self._so = False
        if self.models.observer.programs.keys() == {NAME}:
            self._drop_if_idle()

    def backward(self, roots: object) -> None:
        """A backward pass from ``roots`` is about to begin: the update that followed the last one is complete."""
        self._functional = False
        if self._searching():
            self._meet_tensors(graph_leaves(roots if isinstance(roots, (list, tuple)) else (roots,)))
        self._boundary()

    def asked(self, tensors: object) -> None:
        """The gradients of ``tensors`` are about to be computed for the script, which may update them itself."""
        wanted = [tensor for tensor in listed(tensors) if isinstance(tensor, torch.Tensor) and tensor.is_leaf]
        if self._searching():
            self._meet_tensors(wanted)
        if self.models.any_of(wanted):
            self._functional = False
            self._boundary()

    def given(self, tensors: object, gradients: Iterable[object]) -> None:
        """These are the gradients of ``tensors``; they are looked at where the coming update is a check."""
        if not self._so or not self.models.observer.checking:
            return
        for tensor, gradient in zip(listed(tensors), gradients, strict=False):
            leaf = self.models.of(tensor)
            if leaf is not None and isinstance(gradient, torch.Tensor) and zero_state(gradient) == "nonzero":
                self._asked.append(leaf)

    def _searching(self) -> bool:
        return not self.ruled_out and not self.models.leaves and self._searched < PASSES_SEARCHED

    def transformed(self) -> None:
        """A module is about to be called with other weights than its own, to differentiate by them."""
        self._functional = True
        self._boundary()

    def forward(self) -> None:
        """A model is about to be called plainly."""
        if self._functional:
            self._boundary()

    def _boundary(self) -> None:
        if self._so is None:
            self._so = not self._held_by_older_optimizer()
        if not self._so:
            return
        observer = self.models.observer
        if NAME in observer.programs:
            observer.after_step(NAME)
        else:
            observer.found_optimizer(NAME, "optimizer", "no optimizer", by_hand=True)
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
        for module in discover.modules_holding(loose) if loose else ():
            for parameter in module._parameters.values():
                if parameter is not None:  # the module's to tell, be it another probe's
                    self._in_modules[id(parameter)] = weakref.ref(parameter)
        loose = [tensor for tensor in loose if not _is_among(tensor, self._in_modules)]
        if loose:
            self.models.add_tensors(loose, variable_names({id(tensor) for tensor in loose}, skip=("torch",)))

    def end(self) -> None:
        """The last update ends here."""
        observer = self.models.observer
        if NAME not in observer.programs:
            return
        if self._so:
            observer.after_step(NAME)
        self._drop_if_idle()
        for leaf in self._asked if NAME in observer.programs else ():
            self.models.tell(TensorSeen(tensor=leaf.row.id, reached_by_backward=True))

    def _drop_if_idle(self) -> None:
        """Backward passes after which nothing moved were no updates: gradients may be of interest by themselves."""
        if all(leaf.row.changed.verdict != "yes" for leaf in self.models.leaves):
            del self.models.observer.programs[NAME]
            self.models.tell(OptimizerDropped(optimizer=NAME))

    def _held_by_older_optimizer(self) -> bool:
        """Whether an optimizer made before the observation began holds a tensor of a known model."""
        known = self.models.keys()
        return bool(known) and any(
            id(tensor) in known
            for optimizer in alive(torch.optim.Optimizer)
            for group in optimizer.param_groups
            for tensor in group["params"]
        )


def _is_among(tensor: torch.Tensor, seen: dict[int, weakref.ref[torch.Tensor]]) -> bool:
    return id(tensor) in seen and seen[id(tensor)]() is tensor


def graph_leaves(roots: Iterable[object]) -> list[torch.Tensor]:
    """The tensors that a backward pass from ``roots`` would give gradients to, in the order of their meeting."""
    stack = [root.grad_fn for root in roots if isinstance(root, torch.Tensor)]
    seen, leaves = set(), []
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        tensor = getattr(node, "variable", None)
        if isinstance(tensor, torch.Tensor):
            leaves.append(tensor)
        stack.extend(function for function, _ in node.next_functions)
    return leaves
