"""Weights that never changed and still look as their module's initialiser makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, ModuleSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.init_distribution import looks_default
from frostline.frameworks.torch.tensors.tensors import NamedTensor


class InitialValues:
    """Looks, when the run is over, at the distribution of weights that did not change.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen,)

    def __init__(self, context: Context) -> None:
        self._passes, self._signals = context.forwards, context.signals

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.finished.append(self._finish)
        return []

    def _finish(self) -> None:
        self._passes.tell_modules(_say)


def _say(entry: NamedTensor, module: nn.Module) -> dict[str, Any]:
    unchanged = entry.row.changed.verdict == "no"
    return {"default_initialised": looks_default(module, entry) if unchanged else None}
