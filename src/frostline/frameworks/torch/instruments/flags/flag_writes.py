"""Writes to ``requires_grad`` of parameters: after one, all flags are read before the next step.

Reading the flag stays a call of C. Flags of tensors that are no ``Parameter`` are read before every step.
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
        self._flags = context.models.flags

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [
            put(nn.Parameter, "requires_grad", self._attribute()),
            put(nn.Parameter, "requires_grad_", self._method()),
        ]

    def _attribute(self) -> property:
        own: Any = vars(nn.Parameter).get("requires_grad", torch.Tensor.requires_grad)
        put_in, flags = own.__set__, self._flags

        def write(parameter: torch.Tensor, flag: bool) -> None:
            put_in(parameter, flag)
            flags.written = True

        return property(torch.Tensor.requires_grad.__get__, write)  # type: ignore[attr-defined]

    def _method(self) -> Callable[..., Any]:
        own, flags = nn.Parameter.requires_grad_, self._flags

        @functools.wraps(own)
        def requires_grad_(parameter: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            result = own(parameter, *args, **kwargs)
            flags.written = True
            return result

        return requires_grad_
