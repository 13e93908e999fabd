"""Forward passes: the global hooks that are on for single iterations, and which modules they saw called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks

from frostline.core.facts import ModuleSeen
from frostline.frameworks.torch.models.models import Models
from frostline.frameworks.torch.signals import Signals
from frostline.frameworks.torch.tensors.tensors import NamedTensor

_DEPTH = 3


class ForwardPasses:
    """Publishes forward passes until the roots are known, and around checks.

    While a model is compiled the hooks stay off, because the compiler would trace them (and says so on the console).

    Args:
        models: the models under observation.
        signals: where passes are published.
        is_here: whether the present thread is the one under observation.
        fault: takes errors of ours.
    """

    def __init__(
        self,
        models: Models,
        signals: Signals,
        is_here: Callable[[], bool],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self._models, self._signals = models, signals
        self._is_here, self._fault = is_here, fault
        # Modules by id, of all passes that were watched: called, while gradients were recorded, with weights of their
        # own that a gradient can come back to, and those to which one came back.
        self.called: set[int] = set()
        self.recorded: set[int] = set()
        self.holders: set[int] = set()
        self.output_got_gradient: set[int] = set()
        self.passes = 0  # outermost forward passes seen
        self.depth = 0
        self._blocked = False
        self._handles: list[Any] = []

    def switch(self, wanted: bool) -> None:
        """Install or remove the hooks."""
        if wanted and not self._handles and not self._blocked:
            self.depth = 0
            self._handles = [
                hooks.register_module_forward_pre_hook(self._before),
                hooks.register_module_forward_hook(self._after, always_call=True),
            ]
        elif not wanted and self._handles:
            for handle in self._handles:
                handle.remove()
            self._handles = []
            self._end_pass()

    def block(self) -> None:
        """Keep the hooks off for the rest of the run."""
        self.switch(False)
        self._blocked = True

    def tell_modules(self, say: Callable[[NamedTensor, nn.Module], dict[str, Any]]) -> None:
        """Tell of the modules that hold tensors, in one fact for all that are alike; nothing where no pass was watched.

        Args:
            say: gives the fields of ModuleSeen for a tensor and its module.
        """
        alike: dict[tuple[tuple[str, Any], ...], list[int]] = {}
        for entry in self._models.tensors if self.called else ():
            if (module := entry.module) is not None:
                alike.setdefault(tuple(say(entry, module).items()), []).append(entry.row.id)
        for said, tensors in alike.items():
            self._models.tell(ModuleSeen(tensors=tuple(tensors), **dict(said)))

    def _before(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if _being_transformed() or not self._is_here():
            return
        self.depth += 1
        try:
            if self.depth == 1:
                self.passes += 1
                for began in self._signals.pass_began:
                    began(module)
            given = tensors_in(inputs)
            for entered in self._signals.module_entered:
                entered(module, given)
        except Exception as error:
            self._fault("torch: entering a forward pass", error)

    def _after(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if _being_transformed() or not self._is_here():
            return
        self.depth = max(0, self.depth - 1)
        try:
            returned = tensors_in(output)
            for left in self._signals.module_left:
                left(module, output, returned)
        except Exception as error:
            self._fault("torch: leaving a forward pass", error)
        if not self.depth:
            self._end_pass()

    def _end_pass(self) -> None:
        for ended in self._signals.pass_ended:
            ended()


def _being_transformed() -> bool:
    """Whether this call is traced or compiled, or a function transform (vmap, grad) runs it on stand-in tensors.

    What we do with tensors while ``torch.jit.trace`` listens would be part of the traced graph.
    """
    return (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._functorch.peek_interpreter_stack() is not None
    )


def tensors_in(value: Any, depth: int = _DEPTH) -> list[torch.Tensor]:
    """The dense tensors with data among the inputs or outputs of a module.

    >>> len(tensors_in((torch.ones(1), {"mask": [torch.ones(1), None]})))
    2
    """
    found: list[torch.Tensor] = []
    _collect(value, depth, found)
    return found


def _collect(value: Any, depth: int, found: list[torch.Tensor]) -> None:
    kind = type(value)
    if kind is torch.Tensor or kind is nn.Parameter:
        if value.layout is torch.strided and not value.is_meta:
            found.append(value)
    elif isinstance(value, (list, tuple)) and depth:
        for item in value:
            _collect(item, depth - 1, found)
    elif isinstance(value, dict) and depth:
        for item in value.values():
            _collect(item, depth - 1, found)
