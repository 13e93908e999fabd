"""Which lines of the script put parameters into modules: where a layer was made, or another was put in its place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.tensors.tensor_lines import TensorLines
from frostline.observe.script_lines import script_line


class RegistrationLines:
    """Notes each parameter that a module registers.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines = TensorLines(context.recorder.clock)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.check_ended.append(self._tell)
        self._context.signals.finished.append(self._tell)
        observed = dynamo_guard.observed(nn.Module.register_parameter, self._register)
        return [put(nn.Module, "register_parameter", observed)]

    def _register(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        parameter = args[2] if len(args) > 2 else kwargs.get("param")
        if isinstance(parameter, torch.Tensor):
            try:
                self._lines.note(parameter, "made", script_line())
            except Exception as error:
                self._context.fault("torch: a parameter was registered", error)
        return result

    def _tell(self, _: Hashable = None) -> None:
        for line in self._lines.told(self._context.models.tensors):
            self._context.tell(line)
