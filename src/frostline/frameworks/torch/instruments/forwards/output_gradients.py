"""Gradients that come back to what a module returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, ModuleSeen
from frostline.frameworks.torch.context import Context


class OutputGradients:
    """Listens at the outputs of modules with weights of their own; the hooks look at nothing and return nothing.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen,)

    def __init__(self, context: Context) -> None:
        self._models, self._passes, self._signals = context.models, context.forwards, context.signals
        self._ignoring = False  # slopes that a loss is made of are no gradients of a loss

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.module_left.append(self._leave)
        self._signals.gradients_asked.append(self._asked)
        self._signals.gradients_ended.append(self._ended)
        self._signals.finished.append(self._finish)
        return []

    def _asked(self, inputs: object, differentiable: bool) -> None:
        self._ignoring = differentiable and not self._models.any_of(inputs)

    def _ended(self) -> None:
        self._ignoring = False

    def _leave(self, module: nn.Module, _: Any, returned: list[torch.Tensor]) -> None:
        for tensor in returned if module._parameters else ():
            if tensor.requires_grad and tensor.grad_fn is not None:
                self._passes.holders.add(id(module))
                self._listen(tensor, id(module))

    def _listen(self, output: torch.Tensor, module: int) -> None:
        def arrived(_: torch.Tensor) -> None:
            if not self._ignoring:
                self._passes.output_got_gradient.add(module)

        output.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _finish(self) -> None:
        self._passes.tell_modules(
            lambda _, module: {"output_got_gradient": id(module) in self._passes.output_got_gradient}
        )
