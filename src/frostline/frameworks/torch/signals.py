"""What happens in a training with PyTorch, as lists of callbacks: how hooks reach instruments, and how these share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import nn

from frostline.frameworks.torch.tensors.read_files import ReadFile
from frostline.observe.protocols import Hold, MaskedGradient

Callbacks: TypeAlias = list[Callable[[], None]]


@dataclass(slots=True)
class Signals:
    """One list for each thing that happens; an instrument adds its callbacks when it is attached.

    They are called in the order of the ``INSTRUMENTS`` tuples. Optimizers are given by the ids of their rows, unless
    the optimizer itself is said.
    """

    # Optimizers
    optimizer_made: list[Callable[[torch.optim.Optimizer], None]] = field(default_factory=list)
    optimizer_found: list[Callable[[Hashable], None]] = field(default_factory=list)
    """An optimizer got its row: it steps for the first time, or was named."""

    # Steps
    step_nears: list[Callable[[Hashable, bool], None]] = field(default_factory=list)
    """An optimizer is about to step (with a closure?); the recorder has not looked yet."""
    step_began: list[Callable[[Hashable], None]] = field(default_factory=list)
    """The recorder has looked, and the optimizer steps now."""
    step_ended: list[Callable[[torch.optim.Optimizer, Hashable], None]] = field(default_factory=list)
    """The optimizer itself, and its id, before the recorder looks."""
    check_ended: list[Callable[[Hashable], None]] = field(default_factory=list)
    """The step was a check, and the recorder has looked."""

    # Backward passes
    backward_began: list[Callable[[object, bool], None]] = field(default_factory=list)
    """From these roots, a tensor or several; whether its gradients go into a check."""
    backward_ended: Callbacks = field(default_factory=list)
    gradients_asked: list[Callable[[object, bool], None]] = field(default_factory=list)
    """``torch.autograd.grad`` of these inputs; whether the gradients become part of a graph."""
    gradients_ended: Callbacks = field(default_factory=list)
    gradients_given: list[Callable[[object, Any], None]] = field(default_factory=list)

    # Forward passes, in the iterations in which they are watched
    pass_began: list[Callable[[nn.Module], None]] = field(default_factory=list)
    """The outermost module is about to be called."""
    module_entered: list[Callable[[nn.Module, list[torch.Tensor]], None]] = field(default_factory=list)
    """With the tensors that it was given, as ``tensors_in`` finds them."""
    module_left: list[Callable[[nn.Module, Any, list[torch.Tensor]], None]] = field(default_factory=list)
    """With what it returned, and the tensors in that."""
    pass_ended: Callbacks = field(default_factory=list)
    model_called: Callbacks = field(default_factory=list)
    """A model that is known was called plainly."""
    model_met: Callbacks = field(default_factory=list)
    """A model was found by its forward pass."""
    transformed: Callbacks = field(default_factory=list)
    """A model is called with other weights than its own, to differentiate by them."""

    # State
    flag_flipped: list[Callable[[torch.Tensor, bool], None]] = field(default_factory=list)
    """The script set ``requires_grad`` of a parameter to another value; what it was before."""
    data_taken: list[Callable[[torch.Tensor], None]] = field(default_factory=list)
    """The script took ``.data`` of a frozen tensor, or set it."""
    loaded: list[Callable[[nn.Module, list[Hashable], set[str], Any], None]] = field(default_factory=list)
    """A module got state: the keys of its tensors where the load was looked at, the names that were missing, the state.
    """
    files_read: list[Callable[[list[ReadFile]], None]] = field(default_factory=list)
    """The script read a file: the last ones that it read, the newest last."""
    parts_read: list[Callable[[Any, str, torch.Tensor], None]] = field(default_factory=list)
    """The script took one tensor out of a file: the file, as it was named, the tensor's name there, and the tensor."""

    # What the recorder asks at a check: callbacks add to what is handed to them
    refreshed: Callbacks = field(default_factory=list)
    holds_read: list[Callable[[Hashable, dict[Hashable, Hold]], None]] = field(default_factory=list)
    masked: list[Callable[[dict[Hashable, MaskedGradient]], None]] = field(default_factory=list)
    forwards_wanted: Callbacks = field(default_factory=list)

    # The end
    training_ended: Callbacks = field(default_factory=list)
    """Models that are met from here on are met too late."""
    finishing: Callbacks = field(default_factory=list)
    """The recorder is about to look for the last time."""
    finished: Callbacks = field(default_factory=list)
    """It has looked; rows are completed before they are judged."""
