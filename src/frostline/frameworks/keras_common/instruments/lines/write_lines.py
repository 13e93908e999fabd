"""Which lines of the script assign to variables outside of steps, as a callback does.

Assignments are looked at while the observer pursues a frozen tensor that something else than a step moved, and between
steps only. Of other writes the checks around them give the bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.patching import put
from frostline.observe.script_lines import called_by_framework, script_line


class WriteLines:
    """Notes lines that assign to the variables that are pursued.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines: dict[Origin, set[int]] = {}  # numbers of tensors that a line wrote to since the last step
        self._pursued: set[Hashable] = set()
        self._calls: list[Callable[[], None]] = []  # what takes the calls out of sight again

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_begins.append(self._before_step)
        signals.step_ended.append(self._show_calls)
        signals.finished.append(self._tell)
        return [self._hide_calls]

    def _before_step(self) -> None:
        self._hide_calls()
        self._tell()

    def _show_calls(self) -> None:
        followed = self._context.recorder.attribution.followed
        if followed and not self._calls:
            self._pursued = {watched.entry.key for watched in followed}
            self._calls = [self._observed(owner, name) for owner, name in self._context.dialect.assigning]

    def _hide_calls(self) -> None:
        while self._calls:
            self._calls.pop()()

    def _observed(self, owner: type, name: str) -> Callable[[], None]:
        definer = next(base for base in owner.__mro__ if name in vars(base))
        original = vars(definer)[name]

        @functools.wraps(original)
        def assign(variable: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(variable, *args, **kwargs)
            self._context.quietly("a variable was assigned to", lambda: self._note(variable, original))
            return result

        return put(definer, name, assign)

    def _note(self, variable: Any, assign: Any) -> None:
        """Keep the line, unless Keras itself assigns: it puts back what its loop has held meanwhile."""
        entry = self._context.models.of(variable)
        if entry is None or entry.key not in self._pursued or called_by_framework(assign.__code__.co_filename):
            return
        if (line := script_line()) is not None:
            self._lines.setdefault(line, set()).add(entry.row.id)

    def _tell(self) -> None:
        """Tell of what was noted; the step count is still that of the time of the writes."""
        for line, numbers in self._lines.items():
            wrote = LineSeen(
                step=self._context.recorder.steps, act="wrote", tensors=tuple(sorted(numbers)), origin=line
            )
            self._context.tell(wrote)
        self._lines.clear()
