"""Adapters that peft merges into the weights under them: a write that the script asked for."""

from __future__ import annotations

from collections.abc import Hashable

from torch import nn

from frostline.core.ledger import MERGED
from frostline.frameworks.torch_probe.models import Models

MERGERS = ("peft.tuners.tuners_utils", "BaseTuner", ("merge_and_unload", "merge_adapter", "unmerge_adapter"))


class Merges:
    """Brackets merging: what moved in it was merged, what moved before was not.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    def before(self, tuner: nn.Module) -> list[Hashable]:
        """Look at every leaf below ``tuner``; the tensors stay the same while the modules around them are exchanged."""
        observer = self.models.observer
        keys = [leaf.key for tensor in tuner.parameters() if (leaf := self.models.of(tensor)) is not None]
        observer.look_now(keys, observer.place_now())
        return keys

    def after(self, keys: list[Hashable]) -> None:
        """Look at the same leaves: what moved was merged, or taken out again."""
        self.models.observer.look_now(keys, "outside", MERGED)
