"""Adapters that peft merges into the weights under them, and takes out again: writes that the script asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, Moved
from frostline.core.ledger import MERGED, UNMERGED
from frostline.frameworks.torch.context import Context

MERGERS = ("peft.tuners.tuners_utils", "BaseTuner")
METHODS = {"merge_and_unload": MERGED, "merge_adapter": MERGED, "unmerge_adapter": UNMERGED}


class AdapterMerges:
    """Brackets merging: what moved in it was merged or taken out again, what moved before was not.

    Rounding may leave other bits than before, and a script may put the old ones back: that shows before the next step.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Moved,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._taken_out: list[Hashable] = []  # since the last step

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_nears.append(self._before_step)
        for method, event in METHODS.items():
            self._context.wrap_when_imported(*MERGERS, method, partial(self._merge, event))
        return []

    def _merge(self, event: str, wrapped: Any, tuner: Any, args: Any, kwargs: Any) -> Any:
        keys: list[Hashable] = []
        self._context.quietly("before an adapter is merged", lambda: keys.extend(self._before(tuner)))
        result = wrapped(*args, **kwargs)
        self._context.quietly("an adapter was merged", self._context.recorder.look_now, keys, "outside", event)
        if event == UNMERGED:
            self._taken_out = keys
        return result

    def _before_step(self, _: Hashable, __: bool) -> None:
        if self._taken_out:
            keys, self._taken_out = self._taken_out, []
            self._context.quietly("before a step", self._context.recorder.look_now, keys)

    def _before(self, tuner: nn.Module) -> list[Hashable]:
        """Look at every tensor below ``tuner``; they stay the same while the modules around them are exchanged."""
        keys = [entry.key for tensor in tuner.parameters() if (entry := self._models.of(tensor)) is not None]
        self._context.recorder.look_now(keys)
        return keys
