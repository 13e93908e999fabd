"""Writes of the script's own into variables: both sides of each are looked at."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from frostline.core.facts import LineSeen
from frostline.frameworks.keras_common.context import Context
from frostline.observe.moves.copy_checks import compare_copies
from frostline.observe.schedule import due
from frostline.observe.script_lines import script_line


class Writes:
    """Looks around writes, fewer and fewer of those that one owner makes again and again.

    Args:
        context: what all instruments share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recorder = context.recorder
        self._counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    @contextlib.contextmanager
    def writing(self, owner: Any, variables: Callable[[], Iterable[Any]], event: str) -> Iterator[None]:
        """Everything inside writes into variables from outside a step: a load, or averages put in place."""
        self._counts[owner] = count = self._counts.get(owner, 0) + 1
        watched = due(count) and self._context.steps.running is None
        if watched:
            self._context.quietly(f"before {event}", lambda: self._recorder.look_now(self._keys(variables())))
        yield
        if watched:
            self._context.quietly(f"after {event}", lambda: self._look_after(self._keys(variables()), event))
        if not self._recorder.steps:
            self._context.quietly(f"after {event}", lambda: self._given(list(variables()), event))

    def _look_after(self, keys: list[Hashable], event: str) -> None:
        self._recorder.look_now(keys, "outside", event)
        self._tell_line(keys)
        if self._recorder.steps:
            compare_copies(self._recorder.tracked, keys)

    def _tell_line(self, keys: list[Hashable]) -> None:
        recorder, line = self._recorder, script_line()
        if keys and line is not None:
            numbers = tuple(recorder.tensors[key].row.id for key in keys)
            recorder.tell(LineSeen(step=recorder.steps, act="loaded", tensors=numbers, origin=line))

    def _given(self, variables: list[Any], event: str) -> None:
        self._context.publish(f"after {event}", self._context.signals.weights_given, variables)

    def _keys(self, variables: Iterable[Any]) -> list[Hashable]:
        return [entry.key for variable in variables if (entry := self._context.models.of(variable)) is not None]
