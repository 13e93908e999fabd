"""Which lines of the script make layers: there begin the variables that a layer builds later, as in ``fit``."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.keras_common.context import Context
from frostline.observe.script_lines import makers, script_line


class LayerLines:
    """Notes where layers are made, and tells it of the tensors that they own.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines: dict[int, tuple[weakref.ref[Any], Origin, int]] = {}  # by id: layers need not be hashable
        self._told: set[int] = set()  # numbers of tensors
        self._made = 0  # layers
        self._state = (0, 0)  # how many layers and tensors there were when they were told

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context = self._context
        context.signals.refreshed.append(self._tell)
        context.signals.finished.append(self._tell)
        return [context.wrap(context.dialect.layer_type, context.dialect.called_in_making, self._make)]

    def _make(self, original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        self._context.quietly("a layer is made", lambda: self._note(layer))
        return original(layer, *args, **kwargs)

    def _note(self, layer: Any) -> None:
        """Keep the line of the first of these calls: Keras calls the method again when the layer is initialised."""
        known = self._lines.get(id(layer))
        if known is not None and known[0]() is layer:
            return
        if (line := script_line(but=makers(layer))) is not None:
            self._made += 1
            forget = functools.partial(self._forget, id(layer))
            self._lines[id(layer)] = weakref.ref(layer, forget), line, self._context.recorder.steps

    def _forget(self, number: int, _: weakref.ref[Any]) -> None:
        self._lines.pop(number, None)

    def _tell(self) -> None:
        """Tell what is news: of tensors whose layer's line is known."""
        tensors = self._context.models.tensors
        if self._state == (self._made, len(tensors)):
            return
        self._state = self._made, len(tensors)
        groups: dict[tuple[Origin, int], list[int]] = {}
        for entry in tensors:
            owner = entry.chain[-1] if entry.chain and entry.row.id not in self._told else None
            if owner is not None and (made := self._lines.get(id(owner))) is not None:
                self._told.add(entry.row.id)
                groups.setdefault(made[1:], []).append(entry.row.id)
        for (line, step), numbers in groups.items():
            self._context.tell(LineSeen(step=step, act="made", tensors=tuple(numbers), origin=line))
