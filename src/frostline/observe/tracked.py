"""What is under observation: the tensors and optimizers of one framework, from the moment they are found."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from frostline.core.facts import Fact, FlagDeclared, OptimizerFound, TensorFound
from frostline.core.journal import Journal
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.observe.checks.step_lines import StepLines
from frostline.observe.clock import Clock
from frostline.observe.progress import Notice, terminal
from frostline.observe.protocols import LiveTensor, Probe
from frostline.observe.schedule import due
from frostline.observe.tensor_state import TensorState
from frostline.observe.variable_names import unique
from frostline.settings import Settings


class Tracked:
    """Every tensor and optimizer that was found, in the order in which they were, and the clock of their run.

    Args:
        probe: the framework's, asked for digests of tensors on an accelerator.
        settings: of the run.
        journal: takes the facts.
    """

    def __init__(self, probe: Probe, settings: Settings, journal: Journal) -> None:
        self.probe = probe
        self.settings = settings
        self.journal = journal
        self.tell: Callable[[Fact], None] = journal.tell
        self.notice = Notice(terminal() if settings.progress else None)
        self.clock = Clock()
        self.lines = StepLines(self.clock, self.tell)
        self.tensors: dict[Hashable, TensorState] = {}
        self.order: list[TensorState] = []
        self.flags: list[bool | None] = []  # as of the last step, in that order
        self.optimizers: dict[Hashable, OptimizerRow] = {}

    def found(self, **what: Any) -> TensorRow:
        """The row of a tensor that was found just now, to be adopted; TensorFound has the fields."""
        number = next(self.journal.tensors)
        self.tell(TensorFound(tensor=number, framework=self.probe.name, **what))
        return self.journal.fold.rows[number]

    def found_optimizer(self, label: str, kind: str, name: str, *, by_hand: bool = False) -> OptimizerRow:
        """The row of an optimizer that was found just now, under ``label`` or, where that is taken, one like it."""
        optimizer = unique(label, self.journal.fold.optimizers)
        self.tell(OptimizerFound(optimizer=optimizer, kind=kind, name=name, by_hand=by_hand))
        row = self.optimizers[optimizer] = self.journal.fold.optimizers[optimizer]
        return row

    def adopt(self, entry: LiveTensor, flag: bool | None) -> TensorState:
        """Take a tensor under observation: its present bits are the baseline; when the run is over there is none."""
        clock = self.clock
        watched = TensorState(entry, flag, self.tell, flag_since=clock.steps, froze_at=clock.now)
        self.tell(FlagDeclared(tensor=entry.row.id, flag=flag))
        if clock.over:
            watched.lose("the model was first seen when the run was over")
        else:
            watched.rebase(clock.now, self.probe.digests([entry]).get(entry.key))
            self.notice.read(entry.row.bytes_here)
        self.tensors[entry.key] = watched
        self.order.append(watched)
        self.flags.append(flag)
        return watched

    def is_due(self, optimizer: OptimizerRow) -> bool:
        """Whether the optimizer's next step is a check by its number."""
        return due(optimizer.steps_executed + 1, self.settings.check_every)

    def unsettled(self) -> list[TensorState]:
        """The tensors that more reading can tell something of."""
        return [watched for watched in self.order if not watched.settled]
