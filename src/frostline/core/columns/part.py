"""What one process holds of a tensor that several hold together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """What a process holds of a sharded tensor: ``values`` of its numbers, those at ``place``.

    Two processes hold the same part, and are replicas of each other, where their places are the same. ``of`` is a
    digest of the whole that the process took its part from, where it had one.
    """

    place: str
    values: int
    of: str = ""
