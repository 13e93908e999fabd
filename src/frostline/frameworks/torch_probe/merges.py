"""Adapters that peft merges into the weights under them: a write that the script asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import wrapt
from torch import nn

from frostline.core.ledger import MERGED
from frostline.frameworks.patching import put
from frostline.frameworks.torch_probe.models import Models

_METHODS = ("merge_and_unload", "merge_adapter", "unmerge_adapter")


class Merges:
    """Brackets merging: what moved in it was merged, what moved before was not.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    def attach(self, quietly: Callable[[str, Callable[[], Any]], None]) -> list[Callable[[], None]]:
        """Observe merges from now on; returns what ends it."""
        undo: list[Callable[[], None]] = []

        def merge(wrapped: Any, tuner: Any, args: Any, kwargs: Any) -> Any:
            keys: list[Hashable] = []
            quietly("before an adapter is merged", lambda: keys.extend(self._before(tuner)))
            result = wrapped(*args, **kwargs)
            quietly("an adapter was merged", lambda: self.models.observer.look_now(keys, "outside", MERGED))
            return result

        def imported(module: Any) -> None:
            for name in _METHODS:
                if name in vars(module.BaseTuner):
                    ours = wrapt.FunctionWrapper(vars(module.BaseTuner)[name], merge)
                    undo.append(put(module.BaseTuner, name, ours))

        def end() -> None:
            ended.append(True)
            for each in reversed(undo):
                each()

        ended: list[bool] = []
        wrapt.register_post_import_hook(lambda module: None if ended else imported(module), "peft.tuners.tuners_utils")
        return [end]

    def _before(self, tuner: nn.Module) -> list[Hashable]:
        """Look at every leaf below ``tuner``; the tensors stay the same while the modules around them are exchanged."""
        observer = self.models.observer
        keys = [leaf.key for tensor in tuner.parameters() if (leaf := self.models.of(tensor)) is not None]
        observer.look_now(keys, observer.place_now())
        return keys
