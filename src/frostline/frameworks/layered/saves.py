"""What a script writes with the methods of a Keras model: the variables themselves, so that names need no guessing."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from itertools import takewhile
from typing import Any

from frostline.core.ledger import Event
from frostline.frameworks.layered.leaf import KerasLeaf
from frostline.frameworks.layered.models import Models
from frostline.observe.observer import Observer
from frostline.observe.saves import Saves
from frostline.observe.written import Written


class LayeredSaves:
    """Relates a model that is written to the leaves of its variables.

    Args:
        models: the models under observation.
        observer: knows the leaves.
        note: takes an event for every file.
    """

    def __init__(self, models: Models, observer: Observer, note: Callable[[Event], None]) -> None:
        self.models = models
        self.saves = Saves(observer, self.expected, note)
        self.settle = self.saves.settle

    def wrote(self, model: Any, target: Any, by: str) -> None:
        """``model`` was written to ``target``; one that is not under observation tells nothing."""
        leaves = [leaf for variable in model.weights if (leaf := self.models.of(variable)) is not None]
        if leaves:
            self.saves.wrote(os.fsdecode(target) if isinstance(target, str | os.PathLike) else by, by, _written(leaves))

    def expected(self, names: set[str]) -> set[Hashable]:
        """The leaves that a save of these models would hold."""
        return {
            leaf.key
            for leaf in self.models.leaves
            if leaf.row.model in names and leaf.row.registered and leaf.row.owner.role != "random-state"
        }


def _written(leaves: list[KerasLeaf]) -> list[Written]:
    """Each leaf under its name in the model that was written, which may be a part of the one it is known by."""
    paths = [leaf.row.name.split(".")[1:] for leaf in leaves]
    shared = zip(*(path[:-2] for path in paths), strict=False)
    common = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, shared))
    return [
        Written(".".join(path[common:]), "", row.shape, row.dtype, row.bytes, leaf, leaf.key)
        for leaf, path in zip(leaves, paths, strict=True)
        for row in [leaf.row]
    ]
