"""What happens in a training with JAX, as lists of callbacks: how instruments hear of what others hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from frostline.digest.blocks import Digest
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import Arrays, Path

Digests: TypeAlias = Mapping[Path, Digest]
Callbacks: TypeAlias = list[Callable[[], None]]


@dataclass(slots=True)
class Signals:
    """One list for each thing that happens; an instrument adds its callbacks when it is attached."""

    step_learned: list[Callable[[Function, Call], None]] = field(default_factory=list)
    """A function was traced and turned out to be a train step, or was traced again."""
    step_handed_on: list[Callable[[Function, Arrays, Call], None]] = field(default_factory=list)
    """After a step that was a check: its results, and the next call of the same function."""
    call_failed: list[Callable[[Function, Call], None]] = field(default_factory=list)
    """A call of a function ended in an error."""
    gradients_given: list[Callable[[Any, Arrays, Digests], None]] = field(default_factory=list)
    """A function gives the script gradients of these arrays, with those of their digests that are known."""
    finishing: Callbacks = field(default_factory=list)
    """The recorder is about to look for the last time."""
    finished: Callbacks = field(default_factory=list)
    """It has looked; rows are completed before they are judged."""
