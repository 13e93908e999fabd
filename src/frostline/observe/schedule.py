"""When to check: at steps 1, 2, 4, 8, … of each optimizer, or at every n-th."""

from __future__ import annotations


def due(step: int, every: int | None = None) -> bool:
    """Whether the step with this number (from 1) is a check.

    >>> [step for step in range(1, 20) if due(step)], [step for step in range(1, 8) if due(step, 3)]
    ([1, 2, 4, 8, 16], [1, 3, 6])
    """
    if every is None:
        return step & (step - 1) == 0
    return step == 1 or step % every == 0


def next_due(step: int, every: int | None = None) -> int:
    """The number of the first step after this one that is a check.

    >>> [next_due(step) for step in range(9)], [next_due(step, 3) for step in range(7)]
    ([1, 2, 4, 4, 8, 8, 8, 8, 16], [1, 3, 3, 6, 6, 6, 9])
    """
    if every is None:
        return 1 << step.bit_length()
    return step + every - step % every if step else 1
