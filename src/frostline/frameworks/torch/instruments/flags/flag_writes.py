"""Writes to ``requires_grad`` of parameters: after one that flips a flag, all flags are read before the next step.

``Parameter.requires_grad`` is a property as long as a run is observed: reading it stays a call of C. Flags of tensors
that are no ``Parameter`` are read before every step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, FlagFlipped
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context


class FlagWrites:
    """Tells the models when a flag was written.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagFlipped,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [
            put(nn.Parameter, "requires_grad", self._attribute()),
            put(nn.Parameter, "requires_grad_", self._method()),
        ]

    def _attribute(self) -> property:
        own: Any = vars(nn.Parameter).get("requires_grad", torch.Tensor.requires_grad)
        get, put_in, flipped = torch.Tensor.requires_grad.__get__, own.__set__, self._flipped  # type: ignore[attr-defined]

        def write(parameter: torch.Tensor, flag: bool) -> None:
            before = get(parameter)
            put_in(parameter, flag)
            if get(parameter) is not before:
                flipped(parameter, before)

        return property(get, write)

    def _method(self) -> Callable[..., Any]:
        own = nn.Parameter.requires_grad_
        get, flipped = torch.Tensor.requires_grad.__get__, self._flipped  # type: ignore[attr-defined]

        @functools.wraps(own)
        def requires_grad_(parameter: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            before = get(parameter)
            result = own(parameter, *args, **kwargs)
            if get(parameter) is not before:
                flipped(parameter, before)
            return result

        return requires_grad_

    def _flipped(self, parameter: torch.Tensor, before: bool) -> None:
        self._context.models.flags.written = True
        self._context.publish("after a flag was set", self._context.signals.flag_flipped, parameter, before)
