"""A ledger as laws and causes read it: what they ask again and again is worked out once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from frostline.core.averages import followers
from frostline.core.events import Event, OptimizerIdle, ResultDropped, UpdateShown
from frostline.core.events.fact import Fact
from frostline.core.ledger import Expected, Holding, Ledger, OptimizerRow, TensorRow

Seen = TypeVar("Seen", bound=Fact)
Worked = TypeVar("Worked")
FRAMEWORKS = ("keras", "tf_keras", "torch", "jax")


class ObservedRun:
    """All that was seen of a run, with its tensors found by name, model, module and optimizer.

    Args:
        ledger: what was seen; it is only read.

    Example:
        >>> ObservedRun(Ledger()).tensors
        []
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.tensors: Sequence[TensorRow] = ledger.tensors
        self.optimizers: Sequence[OptimizerRow] = ledger.optimizers
        self.expected: Expected = ledger.expected
        self.patience = ledger.patience
        self.steps = ledger.run.steps
        self._worked_out: dict[Callable[[ObservedRun], Any], Any] = {}

    def once(self, work: Callable[[ObservedRun], Worked]) -> Worked:
        """What ``work`` makes of the run, however often it is asked for."""
        if work not in self._worked_out:
            self._worked_out[work] = work(self)
        return self._worked_out[work]  # type: ignore[no-any-return]

    @cached_property
    def named(self) -> Mapping[str, TensorRow]:
        """The tensors by their names."""
        return {row.name: row for row in self.tensors}

    @cached_property
    def models(self) -> Mapping[str, Sequence[TensorRow]]:
        """The tensors of each model."""
        models: dict[str, list[TensorRow]] = {}
        for row in self.tensors:
            models.setdefault(row.model, []).append(row)
        return models

    @cached_property
    def framework(self) -> str:
        """The framework in whose words hints are written: a backend is imported by the one that the script uses."""
        return next((each for each in FRAMEWORKS if each in self.ledger.run.frameworks), FRAMEWORKS[-1])

    def module(self, row: TensorRow) -> Sequence[TensorRow]:
        """The tensors of the module that owns ``row``, with itself."""
        return self._modules[row.model, row.owner.path]

    def beside(self, row: TensorRow) -> Sequence[TensorRow]:
        """The other tensors of the module that owns ``row``."""
        return [other for other in self.module(row) if other is not row]

    def optimizer(self, optimizer_id: str) -> OptimizerRow:
        """The optimizer with this id; KeyError when there is none."""
        return self._optimizers[optimizer_id]

    def held_by(self, optimizer_id: str) -> Sequence[TensorRow]:
        """The tensors that are listed in an optimizer."""
        return [row for row, holding in self.holdings[optimizer_id] if holding.listed]

    @cached_property
    def holdings(self) -> Mapping[str, Sequence[tuple[TensorRow, Holding]]]:
        """What each optimizer holds, with how."""
        holdings: dict[str, list[tuple[TensorRow, Holding]]] = defaultdict(list)
        for row in self.tensors:
            for holding in row.optimizers:
                holdings[holding.optimizer].append((row, holding))
        return holdings

    @cached_property
    def copied_wholes(self) -> set[str]:
        """The beginnings of the names of averages, targets and other copies, as ``followers`` says them."""
        return followers(self.tensors)

    @cached_property
    def trained_models(self) -> Collection[str]:
        """The models of which an optimizer holds a tensor, other than those that were made late and left idle."""
        idle = left_idle(self)
        return {
            row.model
            for row in self.tensors
            if any(holding.listed and holding.optimizer not in idle for holding in row.optimizers)
        }

    @property
    def events(self) -> Sequence[Event]:
        """What happened, in the order in which it was seen."""
        return self.ledger.events

    def events_of(self, kind: type[Seen]) -> Sequence[Seen]:
        """The events of one kind, in the order in which they were seen."""
        return [event for event in self._events[kind] if isinstance(event, kind)]

    def shown(self, row: TensorRow, what: str) -> UpdateShown | None:
        """The fact that shows this of how ``row`` is updated, or None."""
        return self._updates.get((what, row.name))

    def applied_at(self, row: TensorRow) -> str | None:
        """The line of the script that updates ``row``, where a trace or its results showed something of that."""
        return self._lines.get(row.name)

    @cached_property
    def _lines(self) -> Mapping[str, str]:
        told: list[UpdateShown | ResultDropped] = [*self.events_of(UpdateShown), *self.events_of(ResultDropped)]
        return {name: event.origin.text for event in told if event.origin is not None for name in event.tensors}

    @cached_property
    def _updates(self) -> Mapping[tuple[str, str], UpdateShown]:
        updates: dict[tuple[str, str], UpdateShown] = {}
        for event in self.events_of(UpdateShown):
            for name in event.tensors:
                updates.setdefault((event.shows, name), event)
        return updates

    @cached_property
    def _events(self) -> Mapping[type[Fact], Sequence[Event]]:
        events: dict[type[Fact], list[Event]] = defaultdict(list)
        for event in self.ledger.events:
            events[type(event)].append(event)
        return events

    @cached_property
    def _optimizers(self) -> Mapping[str, OptimizerRow]:
        return {optimizer.id: optimizer for optimizer in reversed(self.optimizers)}

    @cached_property
    def _modules(self) -> Mapping[tuple[str, str], Sequence[TensorRow]]:
        modules: dict[tuple[str, str], list[TensorRow]] = defaultdict(list)
        for row in self.tensors:
            modules[row.model, row.owner.path].append(row)
        return modules


def left_idle(run: ObservedRun) -> Mapping[str, int]:
    """The optimizers that were made in the midst of the training and never stepped, with the step before it."""
    return {event.optimizer: event.step for event in run.events_of(OptimizerIdle) if event.step}
