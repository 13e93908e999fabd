"""Which lines of the script set ``trainable``, of layers with all that is in them or of single variables."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from frostline.core.events import Act
from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.frameworks.patching import Nesting, put
from frostline.observe.script_lines import makers, script_line

FLAG = "trainable"


@dataclass(slots=True)
class _Set:
    """The last time that one line set the flag of a layer or variable to this value; ``number`` orders them."""

    subject: weakref.ref[Any]
    flag: bool
    line: Origin
    step: int
    number: int


class FlagLines:
    """Notes the outermost settings, and tells of each tensor those of the layers around it and its own.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writes = Nesting()
        self._sets: dict[tuple[int, bool, Origin], _Set] = {}
        self._told: dict[int, int] = {}  # by number of the tensor, that of the last setting that was told
        self._count = 0
        self._state = (0, 0)  # how many settings there were of how many tensors when these were told

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals, dialect = self._context.signals, self._context.dialect
        signals.refreshed.append(self._tell)
        signals.finished.append(self._tell)
        kinds = (dialect.layer_type, *(owner for owner, _ in dialect.assigning))
        owners = (next((base for base in kind.__mro__ if FLAG in vars(base)), None) for kind in kinds)
        return [self._observe(owner) for owner in dict.fromkeys(owners) if owner is not None]

    def _observe(self, owner: type) -> Callable[[], None]:
        own = vars(owner)[FLAG]
        if getattr(own, "fset", None) is None:
            return lambda: None

        @functools.wraps(own.fset)
        def write(subject: Any, value: Any) -> None:
            with self._writes:
                own.fset(subject, value)
            if not self._writes.depth:  # else a layer around this one is being set
                self._context.quietly("a flag was set", lambda: self._note(subject, bool(value)))

        return put(owner, FLAG, own.setter(write))

    def _note(self, subject: Any, flag: bool) -> None:
        line = script_line(but=makers(subject))
        if line is not None:
            self._count += 1
            told = _Set(weakref.ref(subject), flag, line, self._context.recorder.steps, self._count)
            self._sets[id(subject), flag, line] = told

    def _tell(self) -> None:
        """Tell what is news: of settings, or of tensors that were built after them."""
        tensors = self._context.models.tensors
        if not self._sets or self._state == (self._count, len(tensors)):
            return
        self._state = self._count, len(tensors)
        sets: dict[int, list[_Set]] = {}
        for each in self._sets.values():
            sets.setdefault(id(each.subject()), []).append(each)
        groups: dict[tuple[int, bool, Origin, int], list[int]] = {}
        for entry in tensors:
            for each in self._news(entry, sets):
                groups.setdefault((each.number, each.flag, each.line, each.step), []).append(entry.row.id)
        for (_, flag, line, step), numbers in sorted(groups.items(), key=lambda group: group[0][0]):
            act: Act = "unfroze" if flag else "froze"
            self._context.tell(LineSeen(step=step, act=act, tensors=tuple(numbers), origin=line))

    def _news(self, entry: NamedVariable, sets: dict[int, list[_Set]]) -> list[_Set]:
        """What was set of a tensor since that was last told; none where its flag shows that the last did not reach it.

        Of a layer that was put into a frozen one later, say, the flag is what it was.
        """
        told, subjects = self._told.get(entry.row.id, 0), (*entry.chain, entry.variable)
        found = [each for subject in subjects for each in sets.get(id(subject), ()) if each.subject() is subject]
        news = sorted((each for each in found if each.number > told), key=lambda each: each.number)
        if not news or entry.flag() is not news[-1].flag:
            return []
        self._told[entry.row.id] = news[-1].number
        return news
