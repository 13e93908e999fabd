"""What a cause of the trainable family looks at: a tensor that was declared trainable and was not trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from frostline.core.amounts import tensors
from frostline.core.events import TensorReplaced
from frostline.core.ledger import Holding, OptimizerRow, TensorRow
from frostline.laws.causes.cause import FEW_STEPS, Case, Cause, Mitigation, Proven, proven
from frostline.laws.causes.trainable.misdirection import taken_for_another
from frostline.laws.observed_run import ObservedRun

Situation = Literal["moved", "skipped", "unregistered", "at rest", "unheld", "held", "unknown", "told elsewhere"]
MOSTLY = 0.9


@dataclass(frozen=True)
class Still:
    """A tensor that was declared trainable, in its run; most that have a cause did not move at all."""

    row: TensorRow
    run: ObservedRun

    @cached_property
    def situation(self) -> Situation:
        """Where to look for the cause: at its moves, at its optimizers, or at what keeps them from it."""
        row = self.row
        if row.changed.verdict == "yes" and not self._still_since_unfrozen:
            return "moved"
        if row.changed.verdict == "unknown":
            return "unknown"
        if not self.holdings and any(mostly_skipped(self.run.optimizer(each.optimizer)) for each in row.optimizers):
            return "skipped"
        if not row.registered:
            return "unregistered"
        if self.holdings:
            return "held"
        if any(holding.listed and holding.captured is not False for holding in row.optimizers):
            return "at rest"  # optimizers that never stepped: it is they who need explaining
        if any(map(unread, self.run.optimizers)) or is_remade(row, self.run):
            return "told elsewhere"
        return "unheld"

    @cached_property
    def holdings(self) -> Sequence[Holding]:
        """How optimizers that stepped hold it."""
        return [
            holding
            for holding in self.row.optimizers
            if holding.listed and self.run.optimizer(holding.optimizer).steps_executed
        ]

    @property
    def optimizer(self) -> str:
        """The first optimizer that stepped and holds it, or an empty string."""
        return self.holdings[0].optimizer if self.holdings else ""

    @cached_property
    def gradients(self) -> set[str]:
        """What its gradients were at the checks."""
        return {state for holding in self.holdings for state, count in holding.gradients.items() if count}

    @property
    def steps(self) -> int:
        """The steps in which it should have moved."""
        trainable = self.row.declared.trainable_steps
        if not self.holdings:
            return trainable
        executed = max(self.run.optimizer(each.optimizer).steps_executed for each in self.holdings)
        return min(executed, max(1, trainable))

    @property
    def unfrozen(self) -> bool:
        """Whether its flag was turned on during the run."""
        return bool(self.row.declared.flips) and self.row.declared.flips[-1].now

    @property
    def late(self) -> bool:
        """Whether its flag was off before: at the first look, or before a flip."""
        return self.row.declared.first is False or any(flip.now for flip in self.row.declared.flips)

    @property
    def model_is_trained(self) -> bool:
        """Whether some optimizer holds a tensor of the same model."""
        return self.row.model in self.run.trained_models

    @property
    def is_steppable(self) -> bool:
        """Whether optimizers hold it, and no other tensor that took its place tells why it stood still."""
        elsewhere = self.gradients == {"none"} and (
            has_successor(self.row, self.run) or taken_for_another(self.row, self.run)
        )
        return self.situation == "held" and not elsewhere

    @property
    def _still_since_unfrozen(self) -> bool:
        ons = [flip.step for flip in self.row.declared.flips if flip.now]
        last = self.row.changed.last_step or 0
        return bool(ons) and self.row.declared.flip_count <= len(self.row.declared.flips) and last < ons[-1]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a cause says of a tensor: the optimizer concerned, why, and in how many steps it should have moved.

    ``steps`` is None where the number of steps makes no difference.
    """

    optimizer: str = ""
    steps: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class StillTogether:
    """Tensors of a model that were not trained, for one cause."""

    each: Sequence[Still]
    explained: Explained
    mitigated: Proven | None = None

    @property
    def rows(self) -> list[TensorRow]:
        """The tensors."""
        return [still.row for still in self.each]

    @property
    def run(self) -> ObservedRun:
        """The run."""
        return self.each[0].run

    @property
    def what(self) -> str:
        """The beginning of messages."""
        return f"{tensors(self.rows)} declared trainable"

    @property
    def by(self) -> str:
        """The optimizer, as messages name it."""
        return f" by {self.explained.optimizer}" if self.explained.optimizer else ""

    @property
    def held(self) -> str:
        """The beginning of messages about tensors that an optimizer holds."""
        return f"{self.what} and held{self.by} did not change"


@dataclass(frozen=True, slots=True, kw_only=True)
class StillCause(Cause):
    """A cause for which a tensor that is declared trainable is not trained.

    ``explains`` says of which optimizer and why, or None where it is another cause's; the first in the family's order
    has it. ``says`` is the message, ``advice`` what to do where the remedy is too general. ``of_optimizers`` finds
    whole optimizers, where no finding names their tensors (the second argument).
    """

    explains: Callable[[Still], Explained | None]
    says: Callable[[StillTogether], str] = lambda still: still.held
    advice: Callable[[StillTogether], str | None] | None = None
    mitigations: tuple[Mitigation[Still], ...] = ()
    of_optimizers: Callable[[ObservedRun, set[str]], Iterable[Case]] | None = None

    def weight(self, still: Still, explained: Explained) -> Proven | None:
        """What makes the cause weigh less for this tensor."""
        return FEW_STEPS.proven((explained.steps, still.run)) or proven(self.mitigations, still)


def unread(optimizer: OptimizerRow) -> bool:
    """Whether the optimizer stepped and could at no step be looked at: then nothing is known of what it holds."""
    return optimizer.steps_executed > 0 and not optimizer.checks


def mostly_skipped(optimizer: OptimizerRow) -> bool:
    """Whether nine in ten of the steps asked for did not run."""
    asked = optimizer.steps_executed + optimizer.steps_skipped
    return optimizer.steps_skipped > 0 and optimizer.steps_skipped >= MOSTLY * asked


def is_remade(row: TensorRow, run: ObservedRun) -> bool:
    """Whether its module makes it again again and again, and no gradient reaches it: an average kept as a parameter."""
    exchanges = sum(row.name == event.name for event in run.events_of(TensorReplaced))
    return exchanges > 1 and not row.reached_by_backward


def predecessors(row: TensorRow, run: ObservedRun) -> list[TensorRow]:
    """What the tensor replaced: tensors of its module, or of what computed it, that the model has no longer."""
    if row.gone:
        return []
    inside = f"{row.owner.path}.parametrizations." if row.owner.path else "parametrizations."
    return [
        other
        for other in run.models[row.model]
        if other.gone and (other.owner.path == row.owner.path or other.owner.path.startswith(inside))
    ]


def has_successor(row: TensorRow, run: ObservedRun) -> bool:
    """Whether a tensor that no optimizer holds took the place of this one; the optimizer's is told with that."""
    return bool(row.gone) and any(
        row in predecessors(other, run)
        for other in run.models[row.model]
        if not other.optimizers and other.declared.trainable
    )
