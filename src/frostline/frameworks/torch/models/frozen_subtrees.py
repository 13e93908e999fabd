"""The frozen module, if any, around each module of a model: what its buffers, which have no flag, are held to."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

from torch import nn

from frostline.core.names.name_matching import without_wrappers
from frostline.frameworks.torch.models.modules import Tree

_TRAINABLE, _FROZEN = 1, 2  # what there is among the parameters in a module


class FrozenSubtrees:
    """For each module path the nearest enclosing module that has parameters, when all of those are frozen.

    Args:
        tree: the modules of a model, as they are until the last question was asked.
        intents: calls of ``requires_grad_`` on modules, which count for those without parameters.
    """

    def __init__(self, tree: Tree, intents: Sequence[tuple[weakref.ref[nn.Module], bool]]) -> None:
        self._tree, self._intents = tree, intents
        self._frozen: dict[str, bool | None] | None = None  # a model without buffers never asks

    def over(self, path: str) -> str | None:
        """The frozen module around ``path`` (the empty string is the root), or None."""
        if self._frozen is None:
            self._frozen = self._by_path()
        for candidate in upwards(path):
            frozen = self._frozen.get(candidate)
            if frozen is not None:
                return candidate if frozen else None
        return None

    def _by_path(self) -> dict[str, bool | None]:
        by_path: dict[str, bool | None] = {}
        said = {id(module): flag for reference, flag in self._intents if (module := reference()) is not None}
        inside = _flags_inside(self._tree)
        for wrapped, module in self._tree:
            flags = inside[id(module)]
            frozen = flags == _FROZEN if flags else (not said[id(module)] if id(module) in said else None)
            path = without_wrappers(wrapped)
            if frozen is not None or path not in by_path:
                by_path[path] = frozen
        return by_path


def _flags_inside(tree: Tree) -> dict[int, int]:
    """By id of each module, what there is among its parameters and those of the modules in it."""
    inside: dict[int, int] = {}
    for _, module in reversed(tree):  # what a module holds comes after it
        flags = 0
        for parameter in module._parameters.values():
            if parameter is not None:
                flags |= _TRAINABLE if parameter.requires_grad else _FROZEN
        for child in module._modules.values():
            flags |= inside.get(id(child), 0)
        inside[id(module)] = flags
    return inside


def upwards(path: str) -> Iterator[str]:
    """The path of a module and of each module around it; the root's is empty.

    >>> list(upwards("encoder.layers.0"))
    ['encoder.layers.0', 'encoder.layers', 'encoder', '']
    """
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""
