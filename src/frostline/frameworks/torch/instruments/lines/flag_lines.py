"""Which lines of the script turn ``requires_grad`` of parameters on and off.

What sets a flag to what it is already is not noted. Flags of tensors that are no ``Parameter`` are seen by the checks
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

import torch

from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.tensor_lines import TensorLines
from frostline.observe.script_lines import script_line

FRAMES_OF_OURS = 4  # above the note: signal, instrument, property; with the note itself


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
        self._context.signals.flag_flipped.append(self._note)
        self._context.signals.check_ended.append(self._tell)
        self._context.signals.finished.append(self._tell)
        return ()

    def _note(self, parameter: torch.Tensor, before: bool) -> None:
        self._lines.note(parameter, "froze" if before else "unfroze", script_line(FRAMES_OF_OURS))

    def _tell(self, _: Hashable = None) -> None:
        for line in self._lines.told(self._context.models.tensors):
            self._context.tell(line)
