"""What every tensor of a training was at every moment, kept naively; nothing here knows a framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor at one moment: its bytes, their type, and the flag of a parameter."""

    content: bytes
    trainable: bool | None
    dtype: str = "float32"

    @property
    def values(self) -> np.ndarray[Any, Any]:
        """The numbers, in float32."""
        if self.dtype == "bfloat16":  # the upper half of a float32
            return (np.frombuffer(self.content, np.uint16).astype(np.uint32) << 16).view(np.float32)
        return np.frombuffer(self.content, self.dtype).astype(np.float32)


Moment = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an optimizer: the moments before and after it."""

    optimizer: int
    before: int
    after: int


@dataclass(slots=True)
class Copies:
    """All tensors before the first step, before and after each, and at the end; what optimizers held, what was written.

    ``rounds`` are the moments at which all optimizers had made a step of the round; ``written`` is each file with the
    moment at which it was written.
    """

    moments: list[Moment] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    held: list[list[str]] = field(default_factory=list)  # by each optimizer; an empty name is of no model
    written: list[tuple[int, dict[str, bytes]]] = field(default_factory=list)

    def take(self, moment: Moment) -> int:
        """Keep a moment; returns its place."""
        self.moments.append(moment)
        return len(self.moments) - 1

    def of(self, optimizer: int) -> list[Step]:
        """The steps of one optimizer."""
        return [step for step in self.steps if step.optimizer == optimizer]
