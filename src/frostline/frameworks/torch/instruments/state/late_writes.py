"""Writes into frozen tensors between checks: when the script was first seen to write, by version counters.

PyTorch counts the writes into each tensor, those through ``.data`` excepted; these are seen by the access itself. What
was written between two checks is read before the next step. Of what only the last check shows, it is told up to which
step no write was seen: after the last one a script may export or merge.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, MoveExplained
from frostline.core.ledger import TensorRow
from frostline.frameworks.torch.context import Context
from frostline.observe.schedule import due

AT_A_STEP = 32  # tensors whose counters are read before a step: about 2 µs


@dataclass(slots=True)
class Counter:
    """The writes of one frozen tensor as they were last counted, when ``steps`` steps were executed."""

    key: Hashable
    tensor: weakref.ref[torch.Tensor]
    version: int
    steps: int
    before: int = 0  # the steps at the time before
    touched: bool = False  # its .data was handed out since
    looks: int = 0  # writes that were seen
    missed: bool = False  # one of them was not looked at

    def count(self, steps: int) -> bool:
        """Whether the tensor may have been written to since it was last counted, at ``before``."""
        tensor = self.tensor()
        version = tensor._version if tensor is not None else self.version
        written = self.touched or version != self.version
        self.version, self.before, self.steps, self.touched = version, self.steps, steps, False
        return written


class LateWrites:
    """Reads version counters before steps, some at each, and looks at what was written to at once.

    What a script writes to again and again, an average say, is looked at the 1st, 2nd, 4th, … time.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (MoveExplained,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._counters: list[Counter] = []
        self._of: dict[int, Counter] = {}  # by the id of a tensor that lives
        self._next = 0
        self._late: dict[Hashable, int] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_nears.append(self._before_step)
        signals.check_ended.append(self._after_check)
        signals.finishing.append(self._before_last_check)
        signals.finished.append(self._after_last_check)
        handed_out: Any = torch.Tensor.data  # the getter and setter in C
        of = self._of

        def get(tensor: torch.Tensor) -> torch.Tensor:
            counter = of.get(id(tensor))
            if counter is not None:
                counter.touched = True
            return handed_out.__get__(tensor)  # type: ignore[no-any-return]

        nn.Parameter.data = property(get, handed_out.__set__)  # type: ignore[assignment]
        return [lambda: delattr(nn.Parameter, "data")]

    def _after_check(self, optimizer: Hashable) -> None:
        """All frozen tensors were read: count their writes from here on."""
        recorder = self._context.recorder
        looks = {counter.key: counter.looks for counter in self._counters}
        self._counters = [
            Counter(entry.key, weakref.ref(tensor), tensor._version, recorder.steps, looks=looks.get(entry.key, 0))
            for entry in self._context.models.tensors
            if (tensor := entry.tensor) is not None and not tensor.is_inference()
            if entry.key in recorder.tensors and recorder.tensors[entry.key].frozen
        ]
        self._of.clear()
        self._of.update({id(each.tensor()): each for each in self._counters})

    def _before_step(self, optimizer: Hashable, closure: bool) -> None:
        """Some of the counters, the next ones before the next step; what was written to is looked at now."""
        if not self._counters:
            return
        start = self._next if self._next < len(self._counters) else 0
        self._next = start + AT_A_STEP
        steps = self._context.recorder.steps
        written = [counter for counter in self._counters[start : self._next] if counter.count(steps)]
        if written:
            self._context.quietly("after a write", self._look, written)

    def _look(self, written: list[Counter]) -> None:
        read = {}
        for counter in written:
            counter.looks += 1
            if due(counter.looks):
                read[counter.key] = counter.before
            else:
                counter.missed = True
        for watched in self._context.recorder.look_now(read):
            self._tell(watched.row, read[watched.entry.key])

    def _tell(self, row: TensorRow, step: int) -> None:
        """The last move of the tensor was made after this step."""
        self._context.tell(MoveExplained(move=row.changed.movements[-1].id, unwritten_until=step))

    def _before_last_check(self) -> None:
        """What was written to since the last time, and not before, was written to after that step."""
        for counter in self._counters:
            if counter.count(self._context.recorder.steps) and not counter.missed:
                self._late[counter.key] = counter.before + 1  # counted before that step, which holds no frozen tensor

    def _after_last_check(self) -> None:
        tensors = self._context.recorder.tensors
        for key, step in self._late.items():
            moves = tensors[key].row.changed.movements if key in tensors else []
            if moves and moves[-1].late:
                self._tell(tensors[key].row, step)
