"""Which lines of the script let ``torch.nn.init`` write into tensors, for as long as somebody wants to know."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
from torch import nn

from frostline.core.events.fact import Origin
from frostline.frameworks.patching import put
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.observe.script_lines import script_line

_INIT = [
    name for name, each in vars(nn.init).items() if isinstance(each, FunctionType) and name.strip("_") + "_" == name
]


class InitCalls:
    """Wraps the functions of ``torch.nn.init`` between ``begin`` and ``end``."""

    def __init__(self) -> None:
        self.lines: dict[int, Origin] = {}  # by id of the tensor
        self._undo: list[Callable[[], None]] = []

    def begin(self) -> None:
        """From now on it is noted which line writes into which tensor."""
        if not self._undo:
            self._undo = [
                put(nn.init, name, dynamo_guard.observed(getattr(nn.init, name), self._call)) for name in _INIT
            ]

    def end(self) -> None:
        """The functions are torch's own again, and nothing is known any longer."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self.lines.clear()

    def _call(self, function: Any, args: Any, kwargs: Any) -> Any:
        tensor = args[0] if args else kwargs.get("tensor")
        line = script_line() if isinstance(tensor, torch.Tensor) else None
        if line is not None:
            self.lines[id(tensor)] = line
        return function(*args, **kwargs)
