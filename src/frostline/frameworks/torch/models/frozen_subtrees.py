"""The frozen module, if any, around each module of a model: what its buffers, which have no flag, are held to."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from torch import nn

from frostline.core.names.name_matching import without_wrappers


class FrozenSubtrees:
    """For each module path the nearest enclosing module that has parameters, when all of those are frozen."""

    def __init__(self, root: nn.Module, intents: list[tuple[weakref.ref[nn.Module], bool]]) -> None:
        self._frozen: dict[str, bool | None] = {}
        said = {id(module): flag for reference, flag in intents if (module := reference()) is not None}
        for wrapped, module in root.named_modules(remove_duplicate=False):
            flags = {parameter.requires_grad for parameter in module.parameters()}
            frozen = (flags == {False}) if flags else (not said[id(module)] if id(module) in said else None)
            path = without_wrappers(wrapped)
            if frozen is not None or path not in self._frozen:
                self._frozen[path] = frozen

    def over(self, path: str) -> str | None:
        """The frozen module around ``path`` (the empty string is the root), or None."""
        for candidate in _upwards(path):
            frozen = self._frozen.get(candidate)
            if frozen is not None:
                return candidate if frozen else None
        return None


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""
