"""Which lines of the script turn ``requires_grad`` of parameters on and off.

``Parameter.requires_grad`` is a property as long as a run is observed: reading it stays a call of C, and what sets it
to what it is already is not noted. Flags of tensors that are no ``Parameter`` are seen by the checks alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.tensor_lines import TensorLines
from frostline.observe.script_lines import script_line

FLAG = "requires_grad"


class FlagLines:
    """Notes each flip of a parameter's flag.

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
        return [*self._observe_flag(), *self._observe_method()]

    def _observe_flag(self) -> Iterable[Callable[[], None]]:
        own: Any = vars(nn.Parameter).get(FLAG, torch.Tensor.requires_grad)
        get, put_in, note = torch.Tensor.requires_grad.__get__, own.__set__, self._note  # type: ignore[attr-defined]

        def write(parameter: torch.Tensor, flag: bool) -> None:
            before = get(parameter)
            put_in(parameter, flag)
            if get(parameter) is not before:
                note(parameter, before)

        return [put(nn.Parameter, FLAG, property(get, write))]

    def _observe_method(self) -> Iterable[Callable[[], None]]:
        own = nn.Parameter.requires_grad_
        get, note = torch.Tensor.requires_grad.__get__, self._note  # type: ignore[attr-defined]

        @functools.wraps(own)
        def requires_grad_(parameter: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            before = get(parameter)
            result = own(parameter, *args, **kwargs)
            if get(parameter) is not before:
                note(parameter, before)
            return result

        return [put(nn.Parameter, "requires_grad_", requires_grad_)]

    def _note(self, parameter: torch.Tensor, before: bool) -> None:
        try:
            self._lines.note(parameter, "froze" if before else "unfroze", script_line(2))
        except Exception as error:
            self._context.fault("torch: a flag was set", error)

    def _tell(self, _: Hashable = None) -> None:
        tensors = [(entry.tensor, entry.row.id) for entry in self._context.models.tensors]
        for line in self._lines.told(tensors):
            self._context.tell(line)
