"""What happens in a training with Keras, as lists of callbacks: how instruments share what their hooks see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Callbacks: TypeAlias = list[Callable[[], None]]


@dataclass(slots=True)
class Signals:
    """One list for each thing that happens; an instrument adds its callbacks when it is attached.

    They are called in the order of the ``INSTRUMENTS`` tuples.
    """

    # Steps
    step_begins: Callbacks = field(default_factory=list)
    """A step is about to begin; called at every one, and so does next to nothing at most of them."""
    step_ended: Callbacks = field(default_factory=list)
    """A step is over; called as often."""
    checked_step: list[Callable[[Any], AbstractContextManager[None]]] = field(default_factory=list)
    """A train step of this model, which is a check, runs inside the contexts that these make."""
    optimizer_traced: Callbacks = field(default_factory=list)
    """An optimizer is met while tensorflow traces a function."""
    function_called: list[Callable[[Any], None]] = field(default_factory=list)
    """A function that the script compiled was called; itself."""
    loose_step_began: Callbacks = field(default_factory=list)
    """A step begins whose end shows when the next one begins."""

    # Writes
    weights_given: list[Callable[[list[Any]], None]] = field(default_factory=list)
    """These variables were written before the first step: with weights of a network that was trained before, say."""

    # What the recorder asks at a check
    refreshed: Callbacks = field(default_factory=list)

    # The end
    training_ended: Callbacks = field(default_factory=list)
    nothing_met: Callbacks = field(default_factory=list)
    """No model was met in the whole run; those that are known of otherwise may be named now."""
    finishing: Callbacks = field(default_factory=list)
    """The recorder is about to look for the last time."""
    finished: Callbacks = field(default_factory=list)
    """It has looked; rows are completed before they are judged."""
    closing: Callbacks = field(default_factory=list)
    """All rows are complete."""
