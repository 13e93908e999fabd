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
        self._state = (0, 0)  # how many layers and tensors there were when they were told

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context = self._context
        context.signals.refreshed.append(self._tell)
        context.signals.finished.append(self._tell)
        return [context.wrap(context.dialect.layer_type, "__init__", self._make)]

    def _make(self, original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(layer, *args, **kwargs)
        self._context.quietly("a layer was made", lambda: self._note(layer))
        return result

    def _note(self, layer: Any) -> None:
        if (line := script_line(but=makers(layer))) is not None:
            forget = functools.partial(self._forget, id(layer))
            self._lines[id(layer)] = weakref.ref(layer, forget), line, self._context.recorder.steps

    def _forget(self, number: int, _: weakref.ref[Any]) -> None:
        self._lines.pop(number, None)

    def _tell(self) -> None:
        """Tell what is news: of tensors whose layer's line is known."""
        tensors = self._context.models.tensors
        if self._state == (len(self._lines), len(tensors)):
            return
        self._state = len(self._lines), len(tensors)
        groups: dict[tuple[Origin, int], list[int]] = {}
        for entry in tensors:
            owner = entry.chain[-1] if entry.chain and entry.row.id not in self._told else None
            if owner is not None and (made := self._lines.get(id(owner))) is not None:
                self._told.add(entry.row.id)
                groups.setdefault(made[1:], []).append(entry.row.id)
        for (line, step), numbers in groups.items():
            self._context.tell(LineSeen(step=step, act="made", tensors=tuple(numbers), origin=line))
