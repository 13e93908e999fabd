"""Flags and rates written where nothing reads them: ``layer.trainble = False``, ``optimizer.lr = 0`` in Keras 3."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, FlagMisspelt
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import layers_below, places
from frostline.observe.script_lines import setter_of

ALIKE = 0.85
OF_OTHERS = "requires_grad"
RATES = ("lr", "learning_rate")


class FlagTypos:
    """Tells of each attribute that looks like a flag, says False, and is contradicted by tensors that train.

    Of optimizers it tells of attributes that look like a learning rate and are none.

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

        self._look_at_optimizers()

    def _look_at_optimizers(self) -> None:
        for source in self._context.optimizers.sources.values():
            for optimizer in source.optimizers():
                rows = [entry.row for entry in self._context.models.tensors]
                held = [row.name for row in rows if any(each.optimizer == str(source.key) for each in row.optimizers)]
                for name in _stray_rates(optimizer) if held else ():
                    value = f"{getattr(optimizer, name)!r:.20}"
                    self._tell(f"{source.key}.{name}", name, type(optimizer).__name__, held, value)

    def _tell(self, subject: str, attribute: str, on: str, tensors: list[str], value: str = "") -> None:
        names, line = tuple(tensors), setter_of(attribute)
        self._context.tell(
            FlagMisspelt(subject=subject, attribute=attribute, on=on, tensors=names, value=value, origin=line)
        )


def _stray_rates(optimizer: Any) -> list[str]:
    """What a script called a learning rate and the optimizer's class does not know."""
    return [
        name
        for name in vars(optimizer)
        if not name.startswith("_") and not hasattr(type(optimizer), name) and _looks_like_a_rate(name)
    ]


def _looks_like_a_rate(name: str) -> bool:
    return any(difflib.SequenceMatcher(None, name, rate).ratio() >= ALIKE for rate in RATES)


def _stray(attributes: dict[str, Any]) -> list[str]:
    return [name for name, value in attributes.items() if value is False and _looks_like_a_flag(name)]


def _looks_like_a_flag(name: str) -> bool:
    if name.startswith("_") or name == "trainable":
        return False
    return name == OF_OTHERS or difflib.SequenceMatcher(None, name, "trainable").ratio() >= ALIKE
