"""Writes into frozen tensors between checks: when the script was first seen to write, by version counters.

PyTorch counts the writes into each tensor, those through ``.data`` excepted; these are seen by the access itself. The
counters are read after a step and before the next one, so that a write by the script is told from one inside a step.
What was written between two checks is read before the next step. Of what only the last check shows, it is told up to
which step no write was seen: after the last one a script may export or merge.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, MoveExplained
from frostline.frameworks.torch.context import Context
from frostline.observe.schedule import due

AT_A_STEP = 32  # tensors whose counters are read before a step and after it: about 2 µs each time


@dataclass(slots=True)
class Counters:
    """The version counters of some frozen tensors as they were read last, when ``steps`` steps were executed.

    ``inside`` are those that were written by the reading after a step, with the step up to which nothing was seen.
    """

    keys: list[Hashable]
    tensors: list[weakref.ref[torch.Tensor]]
    versions: list[int | None]
    steps: int
    inside: dict[Hashable, int] = field(default_factory=dict)

    def written(self, steps: int) -> list[Hashable]:
        """The tensors that were written to since their counters were read, which they are again now."""
        self.steps = steps
        versions = [getattr(tensor(), "_version", None) for tensor in self.tensors]
        if versions == self.versions:
            return []
        before, self.versions = self.versions, versions
        return [key for key, one, other in zip(self.keys, before, versions, strict=True) if one != other]


class LateWrites:
    """Reads version counters before steps, some at each, and looks at what was written to at once.

    What a script writes to again and again, an average say, is looked at the 1st, 2nd, 4th, … time.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (MoveExplained,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._counters: list[Counters] = []
        self._next = 0
        self._keys: dict[int, Hashable] = {}  # of frozen tensors that live, by their ids
        self._touched: dict[Hashable, int] = {}  # the step after which a tensor's .data was first handed out
        self._looks: Counter[Hashable] = Counter()
        self._missed: set[Hashable] = set()  # written to, and not looked at then
        self._written: dict[
            Hashable, int
        ] = {}  # before the step that nears, with the step up to which nothing was seen
        self._known: dict[Hashable, int] = {}  # how many moves of these were told before
        self._late: dict[Hashable, int] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_nears.append(self._before_look)
        signals.step_began.append(self._after_look)
        signals.step_ended.append(lambda *_: self._after_step())
        signals.check_ended.append(self._after_check)
        signals.finishing.append(self._before_last_check)
        signals.finished.append(self._after_last_check)
        in_c: Any = torch.Tensor.data
        keys, touch = self._keys, self._touch

        def get(tensor: torch.Tensor) -> torch.Tensor:
            if id(tensor) in keys:
                touch(tensor)
            return in_c.__get__(tensor)  # type: ignore[no-any-return]

        def put(tensor: torch.Tensor, data: torch.Tensor) -> None:
            if id(tensor) in keys:
                touch(tensor)
            in_c.__set__(tensor, data)

        nn.Parameter.data = property(get, put)  # type: ignore[assignment]
        return [lambda: delattr(nn.Parameter, "data")]

    def _touch(self, tensor: torch.Tensor) -> None:
        self._touched.setdefault(self._keys[id(tensor)], self._context.recorder.steps)
        self._context.publish("after .data was taken", self._context.signals.data_taken, tensor)

    def _after_check(self, optimizer: Hashable) -> None:
        """All frozen tensors were read: count their writes from here on."""
        recorder = self._context.recorder
        frozen = [
            (entry.key, tensor)
            for entry in self._context.models.tensors
            if (tensor := entry.tensor) is not None and not tensor.is_inference()
            if entry.key in recorder.tensors and recorder.tensors[entry.key].frozen
        ]
        self._counters = [
            Counters(
                [key for key, _ in some],
                [weakref.ref(tensor) for _, tensor in some],
                [tensor._version for _, tensor in some],
                recorder.steps,
            )
            for some in (frozen[start : start + AT_A_STEP] for start in range(0, len(frozen), AT_A_STEP))
        ]
        self._keys.clear()
        self._keys.update({id(tensor): key for key, tensor in frozen})
        self._touched.clear()
        self._missed.clear()

    def _before_look(self, optimizer: Hashable, closure: bool) -> None:
        """Before a step: read some of the counters, which were read after the last one too."""
        if not self._counters:
            return
        self._next = (self._next + 1) % len(self._counters)
        counters = self._counters[self._next]
        unwritten, inside = counters.steps, counters.inside
        written = counters.written(self._context.recorder.steps)
        if written or inside or self._touched:
            tensors = self._context.recorder.tensors
            unsure = inside.keys() | self._touched.keys() | self._missed
            self._context.recorder.written_outside.update(set(written) - unsure)
            self._written = dict.fromkeys(written, unwritten) | inside | self._touched
            self._known = {key: len(tensors[key].row.changed.movements) for key in self._written if key in tensors}
            self._touched.clear()
            counters.inside = {}

    def _after_step(self) -> None:
        """After a step: read the counters that were read before it, and those that come next."""
        steps, count = self._context.recorder.steps + 1, len(self._counters)
        for place in sorted({self._next, self._next + 1}) if count else ():
            counters = self._counters[place % count]
            unwritten = counters.steps
            for key in counters.written(steps):
                counters.inside.setdefault(key, unwritten)

    def _after_look(self, optimizer: Hashable) -> None:
        """The recorder has looked, if the step is a check: now look at what was written to, and was not looked at."""
        recorder = self._context.recorder
        if self._written:
            self._context.quietly("after a write", self._look)
            self._written = {}
        if recorder.checking:
            self._context.quietly("at a check", self._note_all)
        recorder.written_outside.clear()

    def _note_all(self) -> None:
        """A check shows what moved: of all that was written to it is told since when."""
        recorder = self._context.recorder
        for counters in self._counters:
            unwritten = counters.steps
            for key, step in (dict.fromkeys(counters.written(recorder.steps), unwritten) | counters.inside).items():
                moves = recorder.tensors[key].row.changed.movements if key in recorder.tensors else []
                if moves and moves[-1].until == recorder.steps + 1 and moves[-1].unwritten_until is None:
                    self._tell(key, step)

    def _look(self) -> None:
        recorder = self._context.recorder
        self._looks.update(self._written.keys())
        read = [key for key in self._written if due(self._looks[key])]
        self._missed.update(self._written.keys() - set(read))
        recorder.read_written(read)
        for key, told in self._known.items():
            if len(recorder.tensors[key].row.changed.movements) > told:
                self._tell(key, self._written[key])

    def _tell(self, key: Hashable, step: int) -> None:
        """The last move of the tensor was made after this step."""
        move = self._context.recorder.tensors[key].row.changed.movements[-1]
        self._context.tell(MoveExplained(move=move.id, unwritten_until=step))

    def _before_last_check(self) -> None:
        """What was written to since its counter was read was written after that step, which moves no frozen tensor."""
        self._late = dict(self._touched)
        for counters in self._counters:
            unwritten = counters.steps
            written = dict.fromkeys(counters.written(self._context.recorder.steps), unwritten) | counters.inside
            for key, step in written.items():
                self._late[key] = min(step, self._late.get(key, step))

    def _after_last_check(self) -> None:
        tensors = self._context.recorder.tensors
        for key, step in self._late.items():
            moves = tensors[key].row.changed.movements if key in tensors and key not in self._missed else []
            if moves and moves[-1].late:
                self._tell(key, step)
