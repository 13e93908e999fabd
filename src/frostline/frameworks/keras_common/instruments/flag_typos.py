"""Flags written where nothing reads them: ``layer.trainble = False``."""

from __future__ import annotations

import difflib
from typing import Any

from frostline.core.facts import FlagMisspelt
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import layers_below, places
from frostline.frameworks.keras_common.models.models import Models

ALIKE = 0.85
OF_OTHERS = "requires_grad"


def stray_flags(models: Models, dialect: Dialect) -> list[FlagMisspelt]:
    """One event for each attribute that looks like a flag, says False, and is contradicted by tensors that train."""
    events = []
    told: set[int] = set()
    for known in models.known:
        for path, chain in layers_below(known.model, dialect) if known.model is not None else ():
            layer = chain[-1]
            if id(layer) in told:
                continue
            told.add(id(layer))
            below = [entry for place in places(layer, dialect) if (entry := models.of(place.variable)) is not None]
            trained = [entry.row.name for entry in dict.fromkeys(below) if entry.row.declared.trainable]
            where = f"{known.name}.{path}" if path else known.name
            for name in _stray(vars(layer)) if trained else ():
                events.append(_event(f"{where}.{name}", name, "layer", trained))
    for entry in models.tensors:
        for name in _stray(getattr(entry.variable, "__dict__", {})) if entry.row.declared.trainable else ():
            events.append(_event(f"{entry.row.name}.{name}", name, "variable", [entry.row.name]))
    return events


def _event(subject: str, attribute: str, holder: str, tensors: list[str]) -> FlagMisspelt:
    return FlagMisspelt(subject=subject, attribute=attribute, on=holder, tensors=tuple(tensors))


def _stray(attributes: dict[str, Any]) -> list[str]:
    return [name for name, value in attributes.items() if value is False and _looks_like_a_flag(name)]


def _looks_like_a_flag(name: str) -> bool:
    if name.startswith("_") or name == "trainable":
        return False
    return name == OF_OTHERS or difflib.SequenceMatcher(None, name, "trainable").ratio() >= ALIKE
