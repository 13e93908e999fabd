"""Flags written where nothing reads them: ``layer.trainble = False``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, FlagMisspelt
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import layers_below, places

ALIKE = 0.85
OF_OTHERS = "requires_grad"


class FlagTypos:
    """Tells of each attribute that looks like a flag, says False, and is contradicted by tensors that train.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagMisspelt,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._look)
        return []

    def _look(self) -> None:
        models, dialect = self._context.models, self._context.dialect
        seen: set[int] = set()
        for known in models.known:
            for path, chain in layers_below(known.model, dialect) if known.model is not None else ():
                layer = chain[-1]
                if id(layer) in seen:
                    continue
                seen.add(id(layer))
                below = [entry for place in places(layer, dialect) if (entry := models.of(place.variable)) is not None]
                trained = [entry.row.name for entry in dict.fromkeys(below) if entry.row.declared.trainable]
                where = f"{known.name}.{path}" if path else known.name
                for name in _stray(vars(layer)) if trained else ():
                    self._tell(f"{where}.{name}", name, "layer", trained)
        for entry in models.tensors:
            for name in _stray(getattr(entry.variable, "__dict__", {})) if entry.row.declared.trainable else ():
                self._tell(f"{entry.row.name}.{name}", name, "variable", [entry.row.name])

    def _tell(self, subject: str, attribute: str, holder: str, tensors: list[str]) -> None:
        self._context.tell(FlagMisspelt(subject=subject, attribute=attribute, on=holder, tensors=tuple(tensors)))


def _stray(attributes: dict[str, Any]) -> list[str]:
    return [name for name, value in attributes.items() if value is False and _looks_like_a_flag(name)]


def _looks_like_a_flag(name: str) -> bool:
    if name.startswith("_") or name == "trainable":
        return False
    return name == OF_OTHERS or difflib.SequenceMatcher(None, name, "trainable").ratio() >= ALIKE
