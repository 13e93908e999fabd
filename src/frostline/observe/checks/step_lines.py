"""At which lines the script makes its steps, and between which of them something moved that no step moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from frostline.core.events import LineSeen
from frostline.core.events.fact import Fact, Origin
from frostline.core.ledger import OptimizerRow
from frostline.observe.clock import Clock
from frostline.observe.script_lines import script_line

END = Origin("", 0)  # stands for the end of the script, after the last of its lines


class StepLines:
    """Notes the lines of steps that are checks or watched closely.

    Args:
        clock: of the run.
        tell: takes the facts.
    """

    def __init__(self, clock: Clock, tell: Callable[[Fact], None]) -> None:
        self._clock, self._tell = clock, tell
        self._now: Origin | None = None
        self._begun = 0  # the half-step just before the step of that line
        self._at: dict[int, Origin] = {}  # by half-step, of those at which tensors are read
        self._told: set[tuple[str, Origin]] = set()

    def begin(self) -> None:
        """A step is about to be made just before and after which tensors are read."""
        self._now, self._begun = script_line(), self._clock.now

    def read(self, optimizer: OptimizerRow) -> None:
        """Tensors are read now, just before a step of this optimizer or just after it."""
        line = self._now
        if line is None or self._clock.now - self._begun > 1:
            return
        self._at[self._clock.now] = line
        if (optimizer.id, line) not in self._told:
            self._told.add((optimizer.id, line))
            self._tell(LineSeen(step=self._clock.steps, act="step", optimizer=optimizer.id, origin=line))

    def tell_around(self, moved: Mapping[int, Sequence[int]]) -> None:
        """Tell between which lines these tensors moved, given by the half-steps of their last readings.

        What nobody executes now is the end of the script. Where the line of the reading is not known, nothing is told.
        """
        after = script_line() or END
        for start, tensors in moved.items():
            if (before := self._at.get(start)) is not None:
                line = LineSeen(step=start // 2, act="wrote", tensors=tuple(tensors), origin=before, until=after)
                self._tell(line)
