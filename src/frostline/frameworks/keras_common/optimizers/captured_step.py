"""What stands behind an optimizer: a model's train step, a function of the script, or an optimizer called by hand."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from frostline.frameworks.keras_common.keras_api import Dialect, Mode
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Hold, Unreadable


@dataclass(slots=True)
class Capture:
    """The variables that one step handed to its optimizers, by id: the flag each had, and the one it got no gradient.

    ``gradients`` are those handed over in a step that runs eagerly; they are dropped when the step is over.
    ``trainable`` are the tensors that were declared so when a traced step was made, handed over or not.
    ``states`` names, for a step that works by position, the variable whose optimizer state each one is given.
    """

    flags: dict[int, bool | None] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    optimizers: dict[int, weakref.ref[Any]] = field(default_factory=dict)
    gradients: dict[int, Any] = field(default_factory=dict)
    trainable: set[int] = field(default_factory=set)
    states: dict[int, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Calls of an optimizer against its optimizers' own counters, where a call need not be one step.

    That is so where a loss scale skips steps, where one call makes several, and in a function that the script compiled
    itself. ``counters`` holds, for each optimizer in turn, where its counter stood at first and stands now.
    """

    counts: bool = False
    skips: bool = False
    calls: int = 0
    counters: dict[int, tuple[int, int]] = field(default_factory=dict)

    def begin(self, source: Source, dialect: Dialect) -> None:
        """A call begins; the first one of an optimizer tells where its counter stands."""
        model = source.model() if source.model is not None else None
        for optimizer in source.optimizers():
            self.skips |= hasattr(optimizer, "inner_optimizer")
            self.counts |= self.skips or source.uncounted or (getattr(model, "steps_per_execution", None) or 1) != 1
            if self.counts and id(optimizer) not in self.counters:
                self.counters[id(optimizer)] = (dialect.optimizers.iterations(optimizer),) * 2

    def note(self, source: Source, dialect: Dialect) -> None:
        """A call is over."""
        self.calls += 1
        for optimizer in source.optimizers() if self.counts else ():
            first, last = self.counters.get(id(optimizer), (0, 0))
            self.counters[id(optimizer)] = (first, max(last, dialect.optimizers.iterations(optimizer)))

    def steps(self) -> tuple[int, int]:
        """Steps executed and steps skipped."""
        counted = max((last - first for first, last in self.counters.values()), default=0)
        if self.skips:
            return counted, max(0, self.calls - counted)
        return max(counted, self.calls), 0  # a loop may never put the counter back where it can be read


@dataclass(slots=True)
class Source:
    """One optimizer's source.

    A ``traced`` step goes on with what it captured when it was traced, whatever the flags say; an ``eager`` one tells
    again each time; a ``positional`` one is handed its state from outside, and who made it has set ``capture``.
    ``uncounted`` says that calls are not seen one by one: the script has compiled the loop around them.
    ``groups`` are the optimizers that step what it holds, each with the number of one of its own groups, as they were
    met: each has its own rate.
    """

    key: Hashable
    model: weakref.ref[Any] | None = None
    optimizer: weakref.ref[Any] | None = None
    mode: Mode = "eager"
    capture: Capture | None = None
    fresh: Capture | None = None
    former: Capture | None = None
    ever: set[int] = field(default_factory=set)
    uncounted: bool = False
    tally: Tally = field(default_factory=Tally)
    groups: list[tuple[weakref.ref[Any], int]] = field(default_factory=list)

    @property
    def hands_back(self) -> bool:
        """Whether new values come into the variables only when the script assigns what its step handed back."""
        return self.uncounted and self.mode == "positional"

    @property
    def is_handed_state(self) -> bool:
        """Whether its step computes new values from those it is given, and may lose them: a loop's or a trainer's."""
        return self.mode == "positional" and (self.uncounted or self.model is not None)

    def optimizers(self) -> list[Any]:
        """Its optimizers that are alive: the model's own, or those seen while it stepped."""
        model = self.model() if self.model is not None else None
        references = list(self.capture.optimizers.values()) if self.capture is not None else []
        candidates = [getattr(model, "optimizer", None), self.optimizer() if self.optimizer is not None else None]
        candidates += [reference() for reference in references]
        unique = {id(each): each for each in candidates if each is not None}
        return list(unique.values())

    def group(self, optimizer: Any, part: int) -> int:
        """The number of the group that this part of an optimizer steps; one not met before makes a new group."""
        for number, (reference, other) in enumerate(self.groups):
            if reference() is optimizer and other == part:
                return number
        self.groups.append((weakref.ref(optimizer), part))
        return len(self.groups) - 1

    def captured(self, optimizer: Any, variables: list[Any], gradients: list[Any], flags: list[bool | None]) -> None:
        """An optimizer is given these variables in the step under way."""
        fresh = self.fresh = self.fresh or Capture()
        for variable, gradient, flag in zip(variables, gradients, flags, strict=False):
            fresh.flags[id(variable)] = flag
            fresh.optimizers[id(variable)] = weakref.ref(optimizer)
            fresh.gradients[id(variable)] = gradient
            if gradient is None:
                fresh.missing.add(id(variable))

    def revert(self) -> None:
        """The step broke off: what was captured before it stands again."""
        for capture in (self.capture, self.fresh):
            self.ever |= capture.flags.keys() if capture is not None else set()
        self.capture, self.fresh = self.former, None

    def settle(self) -> bool:
        """The step is over: what it captured stands until it captures again. True when that was not known before."""
        unknown = self.capture is None
        if self.fresh is not None:
            self.capture = self.fresh
        elif self.capture is None or self.mode == "eager":
            self.capture = Capture()
        before, self.former, self.fresh = self.former, self.capture, None
        self.ever |= self.capture.flags.keys()
        return unknown or (
            self.mode != "positional" and before is not None and before.flags.keys() != self.capture.flags.keys()
        )


def holds(source: Source, models: Models, dialect: Dialect) -> dict[Hashable, Hold]:
    """The tensors that an optimizer holds, held once, or keeps an average of, by key."""
    capture = source.capture or Capture()
    optimizers = source.optimizers()
    averaged = {
        id(variable)
        for optimizer in optimizers
        if dialect.optimizers.overwrites(optimizer)
        for variable, _ in dialect.optimizers.averages(optimizer)
    }
    held: dict[Hashable, Hold] = {}
    for entry in models.tensors:
        identity = id(entry.variable)
        if entry.variable is None:
            continue
        if identity in capture.flags:
            held[entry.key] = _hold(entry, capture, source, models, dialect)
        elif identity in averaged:
            held[entry.key] = Hold(listed=False, copied=True)
        elif source.capture is None or identity in capture.trainable:  # passed over, and not for its flag
            continue
        elif identity in source.ever or (source.mode == "traced" and entry.flag() and _is_in(entry, source)):
            held[entry.key] = Hold(listed=False, captured=False if source.mode == "traced" else None)
    return held


def _hold(entry: NamedVariable, capture: Capture, source: Source, models: Models, dialect: Dialect) -> Hold:
    variable = entry.variable
    optimizer = capture.optimizers[id(variable)]()
    hold = Hold(group=0, captured=capture.flags[id(variable)] if source.mode == "traced" else None)
    if optimizer is None:
        return hold
    part = dialect.optimizers.part(optimizer, variable)
    hold.group = source.group(optimizer, part)
    hold.lr = dialect.optimizers.rate(optimizer, part)
    hold.weight_decay = dialect.optimizers.decay(optimizer, variable)
    hold.state = (
        carries(optimizer, variable, dialect)
        if entry.flag() is False
        else bool(dialect.optimizers.slots(optimizer, variable))
    )
    other = models.of(capture.states.get(id(variable)))
    if other is not None and other is not entry:
        hold.state_of = other.row.name
    return hold


def carries(optimizer: Any, variable: Any, dialect: Dialect) -> bool | None:
    """Whether the optimizer has state for the variable that is not zero; None where it cannot be read."""
    try:
        return any(
            np.frombuffer(dialect.read(slot), np.uint8).any() for slot in dialect.optimizers.slots(optimizer, variable)
        )
    except Unreadable:
        return None


def _is_in(entry: NamedVariable, source: Source) -> bool:
    model = source.model() if source.model is not None else None
    return model is not None and any(layer is model for layer in entry.chain)
