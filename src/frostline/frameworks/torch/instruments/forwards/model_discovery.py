"""Models that are met when they are called: by a forward pass, or by a call with other weights than their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from frostline.core.facts import Fact
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.models import modules


class ModelDiscovery:
    """Takes a model under observation at its first call.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()  # the models tell of their tensors

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.pass_began.append(self._pass_began)
        stateless = torch.nn.utils.stateless
        observed = dynamo_guard.observed(stateless._functional_call, self._functional_call)
        return [put(stateless, "_functional_call", observed)]

    def _pass_began(self, module: nn.Module) -> None:
        context = self._context
        if context.models.knows(module) or modules.foreign(module):
            with aside():
                context.publish("a model is called", context.signals.model_called)
            return
        if modules.swapped(module) or not context.owners.first_time(module):
            return
        try:
            with aside():
                context.models.add(modules.roots_of([module]))
                context.publish("a model was met", context.signals.model_met)
            context.recorder.met_late()
        except Exception as error:
            context.fault("torch: looking for models", error)

    def _functional_call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        self._called_functionally(*args, **kwargs)
        return function(*args, **kwargs)

    def _called_functionally(self, module: nn.Module, *_: Any, **__: Any) -> None:
        if modules.foreign(module):
            return
        context = self._context
        try:
            differentiated = torch._C._functorch.peek_interpreter_stack() is not None
            with aside(), temporarily_clear_interpreter_stack():
                context.meet(module)
                if differentiated:
                    context.publish("before a functional call", context.signals.transformed)
        except Exception as error:
            context.fault("torch: before a functional call", error)
