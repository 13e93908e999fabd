"""Which lines of the script did something to tensors, noted while nobody knows the tensors by name yet."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import torch

from frostline.core.events import Act, LineSeen
from frostline.core.events.fact import Origin
from frostline.frameworks.torch.tensors.tensors import NamedTensor
from frostline.observe.clock import Clock

Note: TypeAlias = tuple[Act, Origin, int]  # with the step
History: TypeAlias = tuple[Note, ...]


class _Noted(weakref.ref[torch.Tensor]):
    """A tensor, and what was done to it since that was last told."""

    __slots__ = ("history", "key")
    history: History
    key: int


class TensorLines:
    """Notes lines by tensor. Tensors to which the same lines did the same share one history.

    Args:
        clock: counts the steps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[int, _Noted] = {}  # by id of the tensor
        self._longer: tuple[History, Note, History] = ((), ("made", Origin("", 0), -1), ())  # the last one, as made of

    def note(self, tensor: torch.Tensor, act: Act, line: Origin | None) -> None:
        """This line of the script does this to the tensor."""
        if line is None:
            return
        key = id(tensor)
        noted = self._noted.get(key)
        if noted is None or noted() is not tensor:
            noted = self._noted[key] = _Noted(tensor, self._forget)
            noted.history, noted.key = (), key
        before, last, longer = self._longer
        if before is not noted.history or line is not last[1] or act != last[0] or last[2] != self._clock.steps:
            longer = self._extended(noted.history, act, line)
        noted.history = longer

    def _extended(self, history: History, act: Act, line: Origin) -> History:
        """The history with one more note at its end; what a line does again is noted as of the last time."""
        note = (act, line, self._clock.steps)
        longer = (*(each for each in history if each[:2] != (act, line)), note)
        self._longer = history, note, longer
        return longer

    def _forget(self, gone: weakref.ref[torch.Tensor]) -> None:
        assert isinstance(gone, _Noted)
        if self._noted.get(gone.key) is gone:
            del self._noted[gone.key]

    def told(self, entries: Iterable[NamedTensor]) -> Iterator[LineSeen]:
        """The facts of what was noted of these tensors; it is not told again."""
        groups: dict[History, list[int]] = {}
        known: set[int] = set()
        for entry in entries if self._noted else ():
            noted = self._noted.get(id(entry.tensor))
            if noted is not None and noted() is entry.tensor:
                groups.setdefault(noted.history, []).append(entry.row.id)
                known.add(noted.key)
        for history, numbers in groups.items():
            for act, line, step in history:
                yield LineSeen(step=step, act=act, tensors=tuple(numbers), origin=line)
        for key in known:
            self._noted.pop(key, None)
